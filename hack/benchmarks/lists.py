"""Lists, statuses and statistics while many containers are there: some that sleep, and others beside them that have ended."""
from cri import message

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
        median, filter = self.peer.client.median, message("ContainerStatsFilter", label_selector={"state": "running"})
        return {
            f"ListContainers of {total}, ms": median("ListContainers", 50),
            f"{running} of them by a label, ms": median("ListContainers", 50, filter=message("ContainerFilter", label_selector={"state": "running"})),
            "ContainerStatus, ms": median("ContainerStatus", 200, container_id=self.last),
            f"ListContainerStats of {running}, ms": median("ListContainerStats", 10, filter=filter),
            f"ListPodSandboxStats of {len(self.pods)}, ms": median("ListPodSandboxStats", 1),
        }

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
        fleet.end()
