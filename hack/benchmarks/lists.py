"""Lists, statuses and statistics while many containers are there: some that sleep, and others beside them that have ended."""
import threading
import time
from concurrent.futures import ThreadPoolExecutor
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
        """What is asked, how often in a round, and the call."""
        stats, labelled = (message(kind, label_selector={"state": "running"}) for kind in ("ContainerStatsFilter", "ContainerFilter"))
        return [
            (f"ListContainers of {total}", 50, "ListContainers", {}),
            (f"{running} of them by a label", 50, "ListContainers", {"filter": labelled}),
            ("ContainerStatus", 200, "ContainerStatus", {"container_id": self.last}),
            (f"ListContainerStats of {running}", 10, "ListContainerStats", {"filter": stats}),
            (f"ListPodSandboxStats of {len(self.pods)}", 1, "ListPodSandboxStats", {}),
        ]

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
        self.peer, self.make_pod, self.over = peer, make_pod, threading.Event()
        self.workers = ThreadPoolExecutor(max_workers=2)

    def repeat(self, work):
        done = 0
        while not self.over.is_set():
            work(done)
            done += 1
        return done

    def start_pod(self, number):
        pod = self.make_pod(self.peer, f"bustle{number}")
        pod.start()
        pod.end()

    def pull(self, _):
        image = message("ImageSpec", image="docker.io/bench/many:1")
        self.peer.client.PullImage(image=image)
        self.peer.client.RemoveImage(image=image)

    def __enter__(self):
        self.loops = [self.workers.submit(self.repeat, work) for work in (self.start_pod, self.pull)]
        return self

    def __exit__(self, *_):
        self.over.set()
        pods, pulls = (loop.result() for loop in self.loops)  # raises what a loop raised
        print(f"{self.peer.name}: {pods} pods were started and {pulls} images pulled beside the lists")


BESIDE = 30  # seconds


def beside(fleet, results, make_pod, total, running):
    """Every single call of half a minute, none of which may wait for what is done meanwhile: the median, and what one of a hundred takes."""
    took, until = {}, time.monotonic() + BESIDE
    with Bustle(fleet.peer, make_pod):
        while time.monotonic() < until:
            for what, times, name, fields in fleet.calls(total, running):
                took.setdefault(what, []).extend(fleet.peer.client.times(name, max(1, times // 10), **fields))
    for what, values in took.items():
        results.add(f"{what}, beside starts and pulls, ms", fleet.peer, *values)
        results.add(f"{what}, the slowest percent, ms", fleet.peer, sorted(values)[len(values) * 99 // 100])


def lists(both, results, make_pod, rounds, running, ended):
    fleets = [Fleet(peer, make_pod, running, ended) for peer in both]
    for number in range(rounds + 1):
        for fleet in fleets:
            for what, times, name, fields in fleet.calls(running + ended, running):
                value = median(fleet.peer.client.times(name, times, **fields))
                if number > 0:  # the first round fills caches
                    results.add(what + ", ms", fleet.peer, value)
    for fleet in fleets:
        beside(fleet, results, make_pod, running + ended, running)
    for fleet in fleets:
        # No row with a ratio: Debian's containerd tells of no container where cgroups are hybrid.
        counts, elapsed, spent = zip(*(fleet.scrape() for _ in range(rounds)))
        print(f"{fleet.peer.name}: a scrape tells of {counts[-1]} cgroups in {median(elapsed):.1f} ms, {sum(spent) / rounds:.1f} ms of the processor")
        fleet.end()
