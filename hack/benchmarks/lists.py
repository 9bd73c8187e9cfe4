"""Lists, statuses and statistics while many containers are there: some that sleep, and others beside them that have ended."""
import threading
from statistics import median

from cri import message, timed

PER_POD = 100


class Fleet:
    """`running` and `ended` containers of one peer, PER_POD to a pod."""

    def __init__(self, peer, make_pod, running, ended):
        self.peer, self.pods = peer, []
        for number in range(running + ended):
            if number % PER_POD == 0:
                self.pods.append(make_pod(peer, f"fleet{number // PER_POD}"))
                self.pods[-1].run()
            state = "running" if number < running else "ended"
            self.last = self.create(self.pods[-1], number, state)
            peer.client.StartContainer(container_id=self.last)

    def create(self, pod, number, state):
        config = message("ContainerConfig")
        config.CopyFrom(pod.container_config)
        config.metadata.name = config.log_path = f"c{number}"
        config.command[:] = ["/bin/sleep", "100000"] if state == "running" else ["/bin/true"]
        config.labels["state"] = state
        for key in range(6):  # about as many as a kubelet sets
            config.annotations[f"io.kubernetes.container.key{key}"] = "x" * 40
        answer = self.peer.client.CreateContainer(pod_sandbox_id=pod.id, config=config, sandbox_config=pod.config)
        return answer.container_id

    def calls(self, total, running):
        took, filter = self.peer.client.median, message("ContainerStatsFilter", label_selector={"state": "running"})
        return {
            f"ListContainers of {total}, ms": took("ListContainers", 50),
            f"{running} of them by a label, ms": took("ListContainers", 50, filter=message("ContainerFilter", label_selector={"state": "running"})),
            "ContainerStatus, ms": took("ContainerStatus", 200, container_id=self.last),
            f"ListContainerStats of {running}, ms": took("ListContainerStats", 10, filter=filter),
            f"ListPodSandboxStats of {len(self.pods)}, ms": took("ListPodSandboxStats", 1),
        }

    def scrape(self):
        """What Prometheus reads: of how many cgroups it is told, and what that takes."""
        before = self.peer.processor_time()
        elapsed, text = timed(self.peer.scrape)
        return text.count(b"container_memory_usage_usage_bytes{"), elapsed, self.peer.processor_time() - before

    def end(self):
        for pod in self.pods:
            pod.end()


class Bustle:
    """A pod that starts and ends and an image that is pulled and removed, both again and again, beside what is measured."""

    def __init__(self, peer, make_pod):
        self.peer, self.make_pod, self.over, self.done = peer, make_pod, False, [0, 0]
        self.threads = [threading.Thread(target=work) for work in (self.start_pods, self.pull)]

    def start_pods(self):
        while not self.over:
            pod = self.make_pod(self.peer, f"bustle{self.done[0]}")
            pod.start()
            pod.end()
            self.done[0] += 1

    def pull(self):
        image = message("ImageSpec", image="docker.io/bench/many:1")
        while not self.over:
            self.peer.client.PullImage(image=image)
            self.peer.client.RemoveImage(image=image)
            self.done[1] += 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        for thread in self.threads:
            thread.join()
        print(f"{self.peer.name}: {self.done[0]} pods were started and {self.done[1]} images pulled beside the lists")


def beside(fleet, results, make_pod, rounds, total, running):
    with Bustle(fleet.peer, make_pod):
        for _ in range(rounds):
            for what, value in fleet.calls(total, running).items():
                results.add(what.replace(",", " beside starts and pulls,"), fleet.peer, value)


def lists(both, results, make_pod, rounds, running, ended):
    fleets = [Fleet(peer, make_pod, running, ended) for peer in both]
    for number in range(rounds + 1):
        for fleet in fleets:
            for what, value in fleet.calls(running + ended, running).items():
                if number > 0:  # the first round fills caches
                    results.add(what, fleet.peer, value)
    for fleet in fleets:
        beside(fleet, results, make_pod, max(1, rounds // 4), running + ended, running)
    for fleet in fleets:
        # No row with a ratio: Debian's containerd tells of no container where cgroups are hybrid.
        counts, elapsed, spent = zip(*(fleet.scrape() for _ in range(rounds)))
        print(f"{fleet.peer.name}: a scrape tells of {counts[-1]} cgroups in {median(elapsed):.1f} ms, {sum(spent) / rounds:.1f} ms of the processor")
        fleet.end()
