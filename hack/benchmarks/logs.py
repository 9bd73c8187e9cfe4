"""Container logs: 200 MB of 100-byte lines as fast as the container can write them, and what that costs the runtime."""
import os
import time

from cri import message

LINES, LENGTH = 2_000_000, 100
# One block of lines is made first; then cat hands it to the pipe as fast as that takes it.
SCRIPT = f"""
yes {'x' * (LENGTH - 1)} | head -n 20000 > /block
i=0; while [ $i -lt {LINES // 20000} ]; do cat /block; i=$((i + 1)); done
"""


def processor_seconds(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            words = file.read().rpartition(")")[2].split()
    except OSError:
        return 0
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def runtime_seconds(peer, sandbox):
    """Of the daemon and of the sandbox's own shim."""
    shims = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if is_shim(pid, sandbox)]
    return processor_seconds(peer.process.pid) + sum(processor_seconds(pid) for pid in shims)


def is_shim(pid, sandbox):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().split(b"\0")
    except OSError:
        return False
    return b"shim" in words[0] and sandbox.encode() in words


def flood(peer, pod, results, keep):
    client = peer.client
    pod.id = client.RunPodSandbox(config=pod.config).pod_sandbox_id
    config = message("ContainerConfig")
    config.CopyFrom(pod.container_config)
    config.command[:] = ["/bin/sh", "-c", SCRIPT]
    container = client.CreateContainer(pod_sandbox_id=pod.id, config=config, sandbox_config=pod.config).container_id
    before = runtime_seconds(peer, pod.id)
    client.StartContainer(container_id=container)
    status = client.ContainerStatus(container_id=container).status
    while status.finished_at == 0:
        time.sleep(0.05)
        status = client.ContainerStatus(container_id=container).status
    spent = runtime_seconds(peer, pod.id) - before
    path = f"{pod.config.log_directory}/{config.log_path}"
    with open(path, "rb") as log:
        lines = sum(block.count(b"\n") for block in iter(lambda: log.read(1 << 20), b""))
    if lines != LINES:
        raise SystemExit(f"{peer.name}: {lines} lines in {path}, not {LINES}")
    elapsed = (status.finished_at - status.started_at) / 1e9
    pod.end()
    os.remove(path)
    if keep:
        megabytes = LINES * LENGTH / 1e6
        results.add("log, MB/s", peer, megabytes / elapsed)
        results.add("log, ms of CPU for 100 MB", peer, spent * 1000 * 100 / megabytes)


def logs(both, results, rounds, make_pod):
    for number in range(rounds + 1):
        for peer in both:
            flood(peer, make_pod(peer, f"logs{number}"), results, keep=number > 0)
