"""Runs the pods of this folder by a kubelet on berthd, and says of each promise whether it was kept. Called by conformance/kubelet, in its namespaces."""

import json
import os
import pathlib
import signal
import ssl
import subprocess
import sys
import time
import urllib.request

NODE = pathlib.Path(os.environ["NODE"])
BIN = pathlib.Path(os.environ["BIN"])
PODS = pathlib.Path(sys.argv[1])
SOCKET = NODE / "berth.sock"
failures = 0


def check(promise, kept, seen=""):
    global failures
    failures += not kept
    print(f"{'ok  ' if kept else 'FAIL'} {promise}" + ("" if kept else f": {seen}"), flush=True)


def eventually(probe, seconds):
    """The probe's first true answer, or its last."""
    end = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer or time.monotonic() > end:
            return answer
        time.sleep(0.3)


def start(name, *command):
    log = open(NODE / f"{name}.log", "ab")
    return subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)


def start_berthd():
    places = ["--config", NODE / "berth.toml", "--address", SOCKET, "--root", NODE / "berth", "--state", NODE / "state"]
    daemon = start("berthd", BIN / "berthd", *places)
    assert eventually(SOCKET.exists, 20) and eventually(lambda: berth("version") is not None, 20), "berthd does not serve"
    return daemon


def berth(*arguments):
    done = subprocess.run([BIN / "berth", "--address", SOCKET, *arguments], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else None


def start_kubelet():
    (NODE / "kubelet.json").write_text(json.dumps({
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "staticPodPath": str(NODE / "manifests"), "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}}, "authorization": {"mode": "AlwaysAllow"},
        "failSwapOn": False, "failCgroupV1": False, "enforceNodeAllocatable": [], "makeIPTablesUtilChains": False,
        "fileCheckFrequency": "1s", "syncFrequency": "5s", "volumePluginDir": str(NODE / "plugins"),
        "evictionHard": {"memory.available": "1Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
    }))
    return start("kubelet", "kubelet", f"--config={NODE}/kubelet.json", "--hostname-override=node", "--node-ip=10.99.0.1", "--v=2")


def ask(path):
    """What the kubelet's own server says; None where it is not there yet."""
    unchecked = ssl._create_unverified_context()
    try:
        return urllib.request.urlopen(f"https://10.99.0.1:10250/{path}", context=unchecked, timeout=10).read().decode()
    except OSError:
        return None


def manifest_name(name):
    """Of a static pod, which kubelets give their own name."""
    return name.removesuffix("-node")


def statuses():
    """Pod → container → its status, by the names in the manifests."""
    pods = json.loads(ask("pods") or "{}").get("items") or []
    parts = ("initContainerStatuses", "containerStatuses")
    return {
        manifest_name(pod["metadata"]["name"]): {one["name"]: one for part in parts for one in pod["status"].get(part, [])}
        for pod in pods
    }


def log(pod, container, namespace="default"):
    return ask(f"containerLogs/{namespace}/{pod}-node/{container}") or ""


def all_ready(pod, *names):
    return lambda: all(statuses().get(pod, {}).get(name, {}).get("ready") for name in names)


def check_full():
    check("a pod with init containers, a sidecar, probes, hooks and all kinds of volumes becomes ready",
          eventually(all_ready("full", "main", "web", "sidecar"), 60), statuses().get("full"))
    eventually(lambda: "ready" in log("full", "main"), 10)
    text = log("full", "main")
    for line in ["groups=0(root),2000,3000", "CPU=1", "one", 'app="full"', "search a.local", "alias.local", "sub path", "root:x:0:0", "hook ran", "ready"]:
        check(f"its log has \"{line}\"", line in text, text[-2000:])


def check_user_namespace():
    if tuple(map(int, os.uname().release.split(".")[:2])) < (6, 3):
        return print("skip a pod in a user namespace: Linux maps owners of tmpfs, where kubelets keep volumes, from 6.3 on", flush=True)
    check("a pod in a user namespace of its own writes its volumes",
          eventually(lambda: "written" in log("userns", "main"), 60), (log("userns", "main"), statuses().get("userns")))


def check_crash():
    def last(name):
        status = statuses().get("crash", {}).get(name, {})
        return status.get("lastState", {}).get("terminated") or status.get("state", {}).get("terminated") or {}

    for name, reason, code in [("fails", "Error", 3), ("missing", "StartError", 128), ("memory", "OOMKilled", 137)]:
        check(f"a container that ends by {reason} says so", eventually(lambda: (last(name).get("reason"), last(name).get("exitCode")) == (reason, code), 60), last(name))
    check("the termination message is the container's", last("fails").get("message") == "why\n", last("fails"))
    check("a command that is not there is named", "command[0] /no/such" in last("missing").get("message", ""), last("missing"))
    check("it is tried again", eventually(lambda: statuses()["crash"]["fails"]["restartCount"] >= 2, 60), statuses().get("crash"))
    check("its neighbour runs", all_ready("crash", "runs")(), statuses().get("crash"))


def check_restarts(daemon):
    def running():
        return {
            (pod, name): one["containerID"]
            for pod, containers in statuses().items() for name, one in containers.items()
            if one.get("ready") and pod != "crash" and name != "unhealthy"
        }

    before = running()
    daemon.send_signal(signal.SIGKILL)
    daemon.wait()
    daemon = start_berthd()
    time.sleep(8)
    check("nothing restarts when berthd is killed", running() == before, (before, running()))
    check("a liveness probe restarts only its container", eventually(lambda: statuses()["restarted"]["unhealthy"]["restartCount"] >= 2, 60)
          and statuses()["restarted"]["healthy"]["restartCount"] == 0, statuses().get("restarted"))
    return daemon


def check_statistics():
    """Of pods whose containers run all the time: the others' may have none just now."""
    def measured():
        pods = json.loads(ask("stats/summary") or "{}").get("pods", [])
        return {
            manifest_name(pod["podRef"]["name"]): [
                pod.get("memory", {}).get("workingSetBytes"), *(one.get("rootfs", {}).get("usedBytes") for one in pod["containers"])]
            for pod in pods
        }

    def complete():
        figures = measured()
        return all(len(figures.get(pod, [])) > 1 and all(figures[pod]) for pod in ("full", "host"))

    check("the summary has memory and file systems of the pods", eventually(complete, 60), measured())


def groups():
    """Of pods, as either cgroup driver names them."""
    return [path for path in pathlib.Path("/sys/fs/cgroup").glob("**/kubepods*/**/*pod[0-9a-f]*") if path.is_dir()]


def check_end():
    for manifest in (NODE / "manifests").iterdir():
        manifest.unlink()
    gone = eventually(lambda: not statuses() and not groups(), 60)
    check("pods that are taken away end", gone, (list(statuses()), groups()))
    check("nothing runs", eventually(lambda: not subprocess.run(["pgrep", "-f", f"berth-shim.*{NODE}"], capture_output=True).stdout, 20))
    check("no network namespace is left", not os.listdir("/run/netns"), os.listdir("/run/netns"))
    addresses = [path.name for path in (NODE / "ipam").glob("*/10.*")]
    check("every address is given back", not addresses, addresses)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    daemon = start_berthd()
    assert berth("import", NODE / "busybox.tar") is not None, "the image cannot be imported"
    for manifest in PODS.glob("*.yaml"):
        (NODE / "manifests" / manifest.name).write_text(manifest.read_text())
    kubelet = start_kubelet()
    try:
        check("the kubelet serves", eventually(lambda: ask("healthz") == "ok", 40))
        check_full()
        check_user_namespace()
        check("a pod on the host's network sees its address", eventually(lambda: "10.99.0.1" in log("host", "main"), 30), log("host", "main"))
        check_crash()
        daemon = check_restarts(daemon)
        check_statistics()
        check_end()
    finally:
        kubelet.terminate()
        kubelet.wait()
        # What a failure left behind: the next run wants its cgroups.
        subprocess.run([BIN / "berth", "--address", SOCKET, "rm", "--force", *(berth("pods", "--quiet") or "").split()], capture_output=True)
        daemon.terminate()
        daemon.wait()
    sys.exit(min(failures, 1))


main()
