"""Pulls: time, processor time and memory, for an image of many layers and for one of a single large layer."""
import json
import os
import statistics
import threading
import time
import urllib.request

from cri import message, timed

KINDS = ("many", "big")


def tagged(kind, number):
    return f"docker.io/bench/{kind}:{number}"


def run(both, results, rounds, make_pod):
    """Every round has images of its own; nothing is removed in between (see conformance/images/catalogue.py)."""
    if rounds == 0:
        return
    warm(rounds + 2)
    for kind in KINDS:
        for number in range(rounds + 1):
            for peer in both if number % 2 else reversed(both):
                compare(peer, results, kind, number, keep=number > 0)
    for peer in both:
        together(peer, results, rounds + 1)
    for peer in both:
        remove_all(peer, rounds + 2)
    time.sleep(70)  # ext4 steps over every inode freed in the last minute (recently_deleted in fs/ext4/ialloc.c)
    starts = {peer: ([], []) for peer in both}
    for number in range(rounds + 2):
        for peer in both if number % 2 else reversed(both):
            for kept, samples in zip(starts[peer], beside(peer, make_pod, number)):
                kept += samples
    for peer in both:
        quiet, busy = starts[peer]
        results.add("pod start beside a pull, ms", peer, *busy)
        results.add("pod start before and after it, ms", peer, *quiet)
        results.add("slowed by the pull, times", peer, statistics.median(busy) / statistics.median(quiet))


def warm(variants):
    """The registry reads all its blobs once, so that the first peer does not read the disk for the second."""
    registry = os.environ["REGISTRY"]
    for kind in KINDS:
        for number in range(variants):
            accept = {"Accept": "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"}
            manifest = fetch(f"{registry}/v2/bench/{kind}/manifests/{number}", accept)
            if "manifests" in manifest:
                manifest = fetch(f"{registry}/v2/bench/{kind}/manifests/{manifest['manifests'][0]['digest']}", accept)
            for layer in manifest["layers"]:
                with urllib.request.urlopen(f"{registry}/v2/bench/{kind}/blobs/{layer['digest']}") as answer:
                    while answer.read(1 << 20):
                        pass


def fetch(url, headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
        return json.load(answer)


def compare(peer, results, kind, number, keep):
    before = processor_seconds(peer.process.pid)
    elapsed, _ = timed(lambda: peer.client.PullImage(image=message("ImageSpec", image=tagged(kind, number))))
    spent = processor_seconds(peer.process.pid) - before
    os.sync()  # nobody shall pay for the other's dirty pages
    if keep:
        results.add(f"pull bench/{kind}, ms", peer, elapsed)
        results.add(f"pull bench/{kind}, CPU s", peer, spent)


def together(peer, results, number):
    """Three images at once: the daemon's peak memory."""
    with open(f"/proc/{peer.process.pid}/clear_refs", "w") as file:
        file.write("5")  # the peak starts anew (proc_pid_clear_refs(5))
    images = [tagged(kind, number) for kind in KINDS] + ["registry.k8s.io/e2e-test-images/nginx:1.14-2"]
    threads = [threading.Thread(target=peer.client.PullImage, kwargs={"image": message("ImageSpec", image=i)}) for i in images]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.add("peak of 3 pulls at once, MB RSS", peer, peak(peer.process.pid) / 1024)


def remove_all(peer, variants):
    """Both delete in the background: waits for it."""
    for kind in KINDS:
        for number in range(variants):
            peer.client.RemoveImage(image=message("ImageSpec", image=tagged(kind, number)))
    for _ in range(600):
        if len(peer.layers()) < 20:
            break
        time.sleep(0.1)
    os.sync()


def beside(peer, make_pod, number):
    """Pod starts before and after the big image is pulled, and those that begin and end while it is."""
    quiet = [start(peer, make_pod, f"before{number}-{pod}") for pod in range(6)]
    pull = threading.Thread(target=peer.client.PullImage, kwargs={"image": message("ImageSpec", image=tagged("big", number))})
    pull.start()
    busy = []
    while pull.is_alive():
        elapsed = start(peer, make_pod, f"busy{number}-{len(busy)}")
        if pull.is_alive() or not busy:
            busy.append(elapsed)
    os.sync()
    return quiet + [start(peer, make_pod, f"after{number}-{pod}") for pod in range(6)], busy


def start(peer, make_pod, name):
    pod = make_pod(peer, name)
    elapsed = pod.start()["pod start"]
    pod.end()
    return elapsed


def processor_seconds(pid):
    """Of the process and of its children that have ended."""
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def peak(pid):
    lines = open(f"/proc/{pid}/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
