"""Runs the measurements, rounds interleaved between the peers, and prints medians and ratios. Started by hack/bench."""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

import peers
from lists import lists
import pulls
import sessions
from cri import message, timed
from logs import logs
from tracing import tracing

CGROUP = "/berthbench"  # as the kubelet does; containerd has no statistics of a pod without
BUSYBOX = "docker.io/library/busybox:latest"


def security(users):
    if not users:
        return message("LinuxSandboxSecurityContext")
    ids = [message("IDMapping", host_id=users, container_id=0, length=65536)]
    return message(
        "LinuxSandboxSecurityContext",
        namespace_options=message("NamespaceOption", userns_options=message("UserNamespace", mode="POD", uids=ids, gids=ids)))


class Pod:
    """One pod with one container that sleeps, stage by stage."""

    def __init__(self, peer, name, users=0):
        """With `users` it has a user namespace, whose root is that user of the host."""
        self.peer, self.name = peer, name
        logs = peer.work / "logs" / peer.name / name
        logs.mkdir(parents=True, exist_ok=True)
        self.config = message(
            "PodSandboxConfig", hostname=name, log_directory=str(logs), linux=message("LinuxPodSandboxConfig", cgroup_parent=CGROUP, security_context=security(users)),
            metadata=message("PodSandboxMetadata", name=name, namespace="bench", uid=f"{peer.name}-{name}"))
        self.container_config = message(
            "ContainerConfig", metadata=message("ContainerMetadata", name="main"), image=message("ImageSpec", image=BUSYBOX),
            command=["/bin/sleep", "100000"], log_path="main.log", linux=message("LinuxContainerConfig"))

    def run(self):
        elapsed, answer = timed(lambda: self.peer.client.RunPodSandbox(config=self.config))
        self.id = answer.pod_sandbox_id
        return elapsed

    def start(self):
        client = self.peer.client
        run = self.run()
        create, answer = timed(lambda: client.CreateContainer(
            pod_sandbox_id=self.id, config=self.container_config, sandbox_config=self.config))
        self.container = answer.container_id
        start, _ = timed(lambda: client.StartContainer(container_id=self.container))
        return {"RunPodSandbox": run, "CreateContainer": create, "StartContainer": start, "pod start": run + create + start}

    def exec(self):
        return timed(lambda: self.peer.client.ExecSync(container_id=self.container, cmd=["/bin/true"], timeout=20))[0]

    def end(self):
        client = self.peer.client
        stop, _ = timed(lambda: client.StopPodSandbox(pod_sandbox_id=self.id))
        remove, _ = timed(lambda: client.RemovePodSandbox(pod_sandbox_id=self.id))
        return {"StopPodSandbox": stop, "RemovePodSandbox": remove}


class Results:
    def __init__(self):
        self.samples, self.own = {}, {}

    def add(self, what, peer, *values):
        self.samples.setdefault(what, {}).setdefault(peer.name, []).extend(values)

    def beside(self, what, value, plain):
        """Of Berth alone: something special and its plain form."""
        self.own.setdefault(what, []).append((value, plain))

    def own_table(self):
        rows = []
        for what, pairs in self.own.items():
            special, plain = (statistics.median(pair[i] for pair in pairs) for i in (0, 1))
            rows.append({"what": what, "rounds": len(pairs), "berth": special, "plain": plain, "ratio": special / plain})
        return rows

    def table(self):
        rows = []
        for what, by_peer in self.samples.items():
            medians = {name: statistics.median(values) for name, values in by_peer.items()}
            rows.append({"what": what, "rounds": len(by_peer["berth"]), **medians, "ratio": medians["berth"] / medians["containerd"]})
        return rows

    def print(self):
        for row in self.own_table():
            print(f"{row['what']:44} {row['berth']:10.2f} {row['plain']:11.2f} {row['ratio']:6.2f}  {row['rounds']}  (beside a plain one)")
        if not self.samples:
            return
        print(f"\n{'median':34} {'berth':>10} {'containerd':>11} {'ratio':>6}  rounds")
        for row in self.table():
            print(f"{row['what']:34} {row['berth']:10.2f} {row['containerd']:11.2f} {row['ratio']:6.2f}  {row['rounds']}")


def life_cycles(both, results, rounds):
    for number in range(rounds + 1):
        for peer in both:
            pod = Pod(peer, f"round{number}")
            samples = pod.start()
            samples["ExecSync /bin/true"] = statistics.median(pod.exec() for _ in range(5))
            samples.update(pod.end())
            samples["whole life"] = samples["pod start"] + samples["StopPodSandbox"] + samples["RemovePodSandbox"]
            if number > 0:  # the first round fills caches
                for what, value in samples.items():
                    results.add(what + ", ms", peer, value)


def user_namespaces(berth, results, rounds):
    for number in range(rounds + 1):
        plain, special = Pod(berth, f"plain{number}"), Pod(berth, f"users{number}", users=(number + 1) << 16)
        order = (plain, special) if number % 2 else (special, plain)
        starts = {pod: pod.start()["pod start"] for pod in order}
        ends = {pod: sum(pod.end().values()) for pod in order}
        if number > 0:
            results.beside("userns pod start, ms", starts[special], starts[plain])
            results.beside("userns pod end, ms", ends[special], ends[plain])


SETTLE = 35  # seconds: Berth gives back twice a minute what only a burst of work needed


def settled(peers_):
    """The memory of each peer at rest: of its daemon and of its pods' processes, kB."""
    time.sleep(SETTLE)
    subprocess.run(["sync"])
    return {peer.name: peer.memory() for peer in peers_}


def memory(both, results, count):
    """What one more pod costs a node that runs pods already: the same number again, at rest before and after."""
    idle = settled(both)
    batches = []
    for batch in range(2):
        for peer in both:
            pods = [Pod(peer, f"memory{batch}-{number}") for number in range(count)]
            for pod in pods:
                pod.start()
            batches += pods
        first, last = (settled(both), None) if batch == 0 else (first, settled(both))
    for peer in both:
        daemon, processes = ((last[peer.name][i] - first[peer.name][i]) / count for i in (0, 1))
        results.add("idle daemon, kB PSS", peer, idle[peer.name][0])
        results.add("a pod's processes, kB PSS", peer, processes)
        results.add("daemon's growth a pod, kB PSS", peer, max(0.1, daemon))
        results.add("a pod in all, kB PSS", peer, processes + daemon)
    for pod in batches:
        pod.end()


def disk_of_its_own(work):
    """A new ext4 on a loop device, mounted there: what else was written or removed on this machine's disk does not count."""
    disk = pathlib.Path(f"{work}.img")
    with open(disk, "wb") as file:
        file.truncate(40 << 30)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(disk)], check=True)
    subprocess.run(["mount", "-o", "loop", str(disk), str(work)], check=True)
    return disk


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--pods", type=int, default=10)
    parser.add_argument("--pulls", type=int, default=5)
    parser.add_argument("--only", choices=["pods", "pulls", "users", "lists", "logs", "exec", "forward", "tracing"], help="only these measurements")
    parser.add_argument("--lists", type=int, default=20, help="rounds of the list calls")
    parser.add_argument("--running", type=int, default=200)
    parser.add_argument("--ended", type=int, default=800)
    parser.add_argument("--logs", type=int, default=3)
    parser.add_argument("--sessions", type=int, default=3, help="rounds of exec and port-forward")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    work, results, both = pathlib.Path(tempfile.mkdtemp(prefix="berth-bench-")), Results(), []
    disk = disk_of_its_own(work)
    try:
        both = [peers.berth(work), peers.containerd(work)]
        for peer in both:
            peer.client.PullImage(image=message("ImageSpec", image=BUSYBOX))
        if arguments.only in (None, "pods"):
            life_cycles(both, results, arguments.rounds)
            memory(both, results, arguments.pods)
        if arguments.only in (None, "users"):
            user_namespaces(both[0], results, arguments.rounds)
        if arguments.only in (None, "tracing"):
            tracing(both[0], results, arguments.rounds, Pod, message("ImageSpec", image=BUSYBOX))
        if arguments.only in (None, "lists"):
            lists(both, results, Pod, arguments.lists, arguments.running, arguments.ended)
        if arguments.only in (None, "logs"):
            logs(both, results, arguments.logs, Pod)
        if arguments.only in (None, "exec"):
            sessions.execs(both, results, arguments.sessions, Pod)
        if arguments.only in (None, "forward"):
            sessions.forwards(both, results, arguments.sessions, Pod)
        if arguments.only in (None, "pulls"):
            pulls.run(both, results, arguments.pulls, Pod)
    finally:
        results.print()
        for peer in both:
            for pod in peer.client.ListPodSandbox().items:
                peer.client.RemovePodSandbox(pod_sandbox_id=pod.id)
            peer.stop()
        for parent in pathlib.Path("/sys/fs/cgroup").glob(f"**{CGROUP}"):
            for group, _, _ in os.walk(parent, topdown=False):
                os.rmdir(group)
        subprocess.run(["ip", "link", "delete", "berthbench"], stderr=subprocess.DEVNULL)
        subprocess.run(["umount", str(work / "berth" / "state")], stderr=subprocess.DEVNULL)
        subprocess.run(["umount", str(work)], stderr=subprocess.DEVNULL)
        shutil.rmtree(work, ignore_errors=True)
        disk.unlink()
    if arguments.json:
        json.dump(results.table() + results.own_table(), open(arguments.json, "w"), indent=1)


if __name__ == "__main__":
    main()
