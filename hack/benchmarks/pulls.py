"""Pulls: time, processor time and memory, for an image of many layers and for one of a single large layer."""
import os
import statistics
import threading
import time

from cri import message, timed

MANY, BIG = "docker.io/bench/many:1", "docker.io/bench/big:1"
AT_ONCE = [MANY, BIG, "registry.k8s.io/e2e-test-images/nginx:1.14-2"]


def run(both, results, rounds, make_pod):
    if rounds == 0:
        return
    for image in (MANY, BIG):
        compare(both, results, image, rounds)
    for peer in both:
        together(peer, results)
    for number in range(rounds):
        for peer in both:
            beside(peer, results, make_pod, number)


def beside(peer, results, make_pod, number, pods=10):
    """Pod starts while nothing else runs, and while the big image is pulled again and again."""
    alone = starts(peer, make_pod, f"alone{number}", pods)
    baseline, over = len(peer.layers()), threading.Event()

    def pulls():
        while not over.is_set():
            peer.client.PullImage(image=message("ImageSpec", image=BIG))
            peer.client.RemoveImage(image=message("ImageSpec", image=BIG))

    thread = threading.Thread(target=pulls)
    thread.start()
    time.sleep(0.5)
    busy = starts(peer, make_pod, f"busy{number}", pods)
    over.set()
    thread.join()
    remove(peer, [], baseline)
    results.add("pod start beside a pull, ms", peer, busy)
    results.add("slowed by the pull, times", peer, busy / alone)


def starts(peer, make_pod, name, count):
    values = []
    for number in range(count):
        pod = make_pod(peer, f"{name}-{number}")
        values.append(pod.start()["pod start"])
        pod.end()
    return statistics.median(values)


def compare(both, results, image, rounds):
    name = image.split("/", 1)[1]
    baselines = {peer.name: len(peer.layers()) for peer in both}
    for number in range(rounds + 1):
        for peer in both:
            before = processor_seconds(peer.process.pid)
            elapsed, _ = timed(lambda: peer.client.PullImage(image=message("ImageSpec", image=image)))
            spent = processor_seconds(peer.process.pid) - before
            if number > 0:  # the first round fills caches
                results.add(f"pull {name}, ms", peer, elapsed)
                results.add(f"pull {name}, CPU s", peer, spent)
            remove(peer, [image], baselines[peer.name])


def together(peer, results):
    """Three images at once: the daemon's peak memory."""
    baseline = len(peer.layers())
    with open(f"/proc/{peer.process.pid}/clear_refs", "w") as file:
        file.write("5")  # the peak starts anew (proc_pid_clear_refs(5))
    threads = [threading.Thread(target=peer.client.PullImage, kwargs={"image": message("ImageSpec", image=i)}) for i in AT_ONCE]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.add("peak of 3 pulls at once, MB RSS", peer, peak(peer.process.pid) / 1024)
    remove(peer, AT_ONCE, baseline)


def remove(peer, images, baseline):
    """Both delete in the background, and nobody shall pay for the other's dirty pages: waits for all of it."""
    for image in images:
        peer.client.RemoveImage(image=message("ImageSpec", image=image))
    for _ in range(600):
        if len(peer.layers()) <= baseline:
            break
        time.sleep(0.1)
    os.sync()


def processor_seconds(pid):
    """Of the process and of its children that have ended."""
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def peak(pid):
    lines = open(f"/proc/{pid}/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
