"""Long runs against one berthd. Started by hack/soak."""
import argparse
import concurrent.futures
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import grpc

import peers
import sessions
from cri import message
from logs import is_shim
from run import Pod

SLACK_KB = 3000  # an allocator's own ways


class Watch:
    """Memory of their own and descriptors of berthd and of one pod's shim."""

    def __init__(self, peer, pod):
        self.processes = {"berthd": peer.process.pid, "shim": next(pid for pid in peers.pids() if is_shim(pid, pod.id))}

    def figures(self):
        return {name: (anonymous(pid), len(os.listdir(f"/proc/{pid}/fd"))) for name, pid in self.processes.items()}

    def tell(self, what):
        figures = self.figures()
        print(f"{what:>24}  " + "  ".join(f"{name}: {kb} kB, {fds} descriptors" for name, (kb, fds) in figures.items()), flush=True)
        return figures

    def over(self, one, count, workers, what):
        """`one(number)` so many times, some at once; nothing may have grown afterwards."""
        part = max(1, count // 10)
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            list(pool.map(one, range(part)))  # what stays for good is there after these
            time.sleep(2)
            before, done = self.tell("before"), 0
            while done < count:
                list(pool.map(one, range(done, done + part)))
                done += part
                self.tell(f"{done} {what}")
        self.compare(before)

    def compare(self, before, seconds=45):
        """Fails where there is more than before, once what is given back late was given back."""
        end = time.monotonic() + seconds
        while more := self.more(before):
            if time.monotonic() > end:
                raise SystemExit("grown: " + ", ".join(more))
            time.sleep(1)
        self.tell("at rest")

    def more(self, before):
        now = self.figures()
        return [f"{name} {kind}: {now[name][i]}, was {before[name][i]}" for name in now
                for i, kind, slack in ((0, "kB", SLACK_KB), (1, "descriptors", 0)) if now[name][i] > before[name][i] + slack]


def anonymous(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Anonymous:"))


def execs(peer, arguments):
    pod = Pod(peer, "soak")
    pod.start()
    watch = Watch(peer, pod)

    def one(number):
        answer = peer.client.ExecSync(container_id=pod.container, cmd=["/bin/sh", "-c", f"echo {number}; exit {number % 7}"], timeout=60)
        if answer.stdout != b"%d\n" % number or answer.exit_code != number % 7:
            raise SystemExit(f"exec {number} answered {answer}")

    watch.over(one, arguments.count or 10_000, 8, "execs")


def concurrent_sessions(peer, arguments):
    pod = Pod(peer, "soak")
    pod.start()
    watch, client = Watch(peer, pod), sessions.Client(peer, pod)
    before = None
    for number in range(arguments.count or 5):
        for transport in sessions.TRANSPORTS:
            began = time.monotonic()
            sessions.many(client, transport, None, keep=False)
            figures = watch.tell(f"{transport}, {time.monotonic() - began:.1f} s")
            time.sleep(1)
            before = before or watch.tell("after the first")
    watch.compare(before)


def connections(peer, arguments):
    pod = Pod(peer, "soak")
    pod.start()
    watch, client = Watch(peer, pod), sessions.Client(peer, pod)
    client.sync("(nc -ll -p 7000 -e /bin/cat >/dev/null 2>&1 &) ; sleep 0.2")
    count = arguments.count or 1000

    def word(connection, number):
        connection.sendall(b"%d\n" % number)
        if (answer := connection.makefile("rb").readline()) != b"%d\n" % number:
            raise SystemExit(f"connection {number} answered {answer}")

    for transport in sessions.TRANSPORTS:
        with sessions.Forward(client, transport, 7000) as first:
            port = first.getpeername()[1]
            word(first, 0)
            before = watch.tell(f"{transport}, one")
            opened = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
            for number, connection in enumerate(opened):
                word(connection, number)
            watch.tell(f"{count} at once")
            for connection in opened:
                connection.close()
            for number in range(count):
                with socket.create_connection(("127.0.0.1", port)) as connection:
                    word(connection, number)
            watch.tell(f"{count} after another")
            watch.compare(before)
            first.close()


LINE = 100
BLOCK_LINES = 20_000
ROTATE = 0.1  # seconds from one rotation to the next


class Writer:
    """A container that writes numbered lines, and what its log should hold."""

    def __init__(self, peer, pod, name, blocks):
        self.peer, self.name, self.blocks = peer, name, blocks
        config = message("ContainerConfig")
        config.CopyFrom(pod.container_config)
        config.metadata.name = name
        config.log_path = name + ".log"
        config.command[:] = ["/bin/sh", "-c", f"""
            i=0; while [ $i -lt {BLOCK_LINES} ]; do printf '%0{LINE - 1}d\\n' $i; i=$((i + 1)); done > /block
            i=0; while [ $i -lt {blocks} ]; do cat /block; i=$((i + 1)); done"""]
        self.path = pathlib.Path(pod.config.log_directory) / config.log_path
        self.id = peer.client.CreateContainer(pod_sandbox_id=pod.id, config=config, sandbox_config=pod.config).container_id
        peer.client.StartContainer(container_id=self.id)
        self.next, self.files = 0, []

    def status(self):
        return self.peer.client.ContainerStatus(container_id=self.id).status

    def rotate(self):
        moved = self.path.with_suffix(f".{len(self.files)}")
        self.path.rename(moved)
        self.files.append(moved)
        try:
            self.peer.client.ReopenContainerLog(container_id=self.id)
        except grpc.RpcError as error:  # it has ended meanwhile
            if error.code() != grpc.StatusCode.FAILED_PRECONDITION:
                raise

    def check(self, path):
        """Goes on counting where the file before ended."""
        with open(path, "rb") as file:
            for line in file:
                wanted = b"stdout F %0*d\n" % (LINE - 1, self.next % BLOCK_LINES)
                if line[31:] != wanted:
                    raise SystemExit(f"{path}: line {self.next} is {line!r}")
                self.next += 1
        os.remove(path)


def logs(peer, arguments):
    pod = Pod(peer, "soak")
    pod.run()
    blocks = (arguments.mib or 1000) * (1 << 20) // (LINE * BLOCK_LINES)
    writers = [Writer(peer, pod, f"writer{number}", blocks) for number in range(3)]
    watch = Watch(peer, pod)

    def follow(writer):
        while writer.status().finished_at == 0:
            time.sleep(ROTATE)
            writer.rotate()

    threads = [threading.Thread(target=follow, args=(writer,)) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    watch.tell("at the end")
    for writer in writers:
        files = [path for path in [*writer.files, writer.path] if path.exists()]
        for path in files:
            writer.check(path)
        status = writer.status()
        rate = blocks * BLOCK_LINES * LINE / 1e6 / ((status.finished_at - status.started_at) / 1e9)
        print(f"{writer.name}: {writer.next} lines in {len(files)} files, {rate:.0f} MB/s")
        if writer.next != blocks * BLOCK_LINES:
            raise SystemExit(f"{writer.name}: {blocks * BLOCK_LINES} lines were written")


GLUTTON = "x=x; while :; do x=$x$x; done"  # doubles what it holds until it is killed, some milliseconds after its start


def out_of_memory(peer, arguments):
    pod = Pod(peer, "soak")
    pod.run()
    watch = Watch(peer, pod)

    def one(number):
        config = message("ContainerConfig")
        config.CopyFrom(pod.container_config)
        config.metadata.name = f"glutton{number}"
        config.log_path = ""
        # Every second one only loses a child, and ends by itself.
        config.command[:] = ["/bin/sh", "-c", GLUTTON if number % 2 else f"sh -c '{GLUTTON}'; exit 3"]
        config.linux.resources.memory_limit_in_bytes = 8 << 20
        container = peer.client.CreateContainer(pod_sandbox_id=pod.id, config=config, sandbox_config=pod.config).container_id
        peer.client.StartContainer(container_id=container)
        while not (status := peer.client.ContainerStatus(container_id=container).status).finished_at:
            time.sleep(0.005)
        if (status.reason, status.exit_code) != ("OOMKilled", 137 if number % 2 else 3):
            raise SystemExit(f"container {number}: {status.reason}, exit code {status.exit_code}: {status.message}")
        peer.client.RemoveContainer(container_id=container)

    watch.over(one, arguments.count or 10_000, 4, "killed")


def main():
    kinds = {"oom": out_of_memory, "exec": execs, "sessions": concurrent_sessions, "forward": connections, "logs": logs}
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=kinds)
    parser.add_argument("--count", type=int, help="execs, rounds of sessions, or connections")
    parser.add_argument("--mib", type=int, help="what each container writes")
    arguments = parser.parse_args()
    work, peer = pathlib.Path(tempfile.mkdtemp(prefix="berth-soak-")), None
    try:
        peer = peers.berth(work)
        peer.client.PullImage(image=message("ImageSpec", image="docker.io/library/busybox:latest"))
        kinds[arguments.kind](peer, arguments)
    finally:
        if peer:
            for pod in peer.client.ListPodSandbox().items:
                peer.client.RemovePodSandbox(pod_sandbox_id=pod.id)
            peer.stop()
        subprocess.run(["ip", "link", "delete", "berthbench"], stderr=subprocess.DEVNULL)
        subprocess.run(["umount", str(work / "berth" / "state")], stderr=subprocess.DEVNULL)
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
