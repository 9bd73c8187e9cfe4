"""Lists, statuses and statistics while many containers are there: some that sleep, and others beside them that have ended."""
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


def lists(both, results, make_pod, rounds, running, ended):
    fleets = [Fleet(peer, make_pod, running, ended) for peer in both]
    for number in range(rounds + 1):
        for fleet in fleets:
            for what, value in fleet.calls(running + ended, running).items():
                if number > 0:  # the first round fills caches
                    results.add(what, fleet.peer, value)
    for fleet in fleets:
        # No row with a ratio: Debian's containerd tells of no container where cgroups are hybrid.
        counts, elapsed, spent = zip(*(fleet.scrape() for _ in range(rounds)))
        print(f"{fleet.peer.name}: a scrape tells of {counts[-1]} cgroups in {median(elapsed):.1f} ms, {sum(spent) / rounds:.1f} ms of the processor")
        fleet.end()
