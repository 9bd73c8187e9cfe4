"""What it costs to trace every call: a Berth that sends its spans to a collector, beside one that does not trace."""
import pathlib
import subprocess
import sys
import time

import peers

COLLECTOR = pathlib.Path(__file__).parents[2] / "conformance/traces/collector.py"


class Collector:
    """Decodes what comes, as one on the node would; it shares the processors with what is measured."""

    def __init__(self, directory):
        self.directory = directory
        directory.mkdir()
        self.process = subprocess.Popen([sys.executable, str(COLLECTOR), str(directory)])
        while not (directory / "ports").exists() or not (directory / "ports").read_text().split():
            if self.process.poll() is not None:
                raise SystemExit("the collector of traces ended at its start")
            time.sleep(0.05)
        self.address = "127.0.0.1:" + (directory / "ports").read_text().split()[0]

    def spans(self):
        path = self.directory / "spans.jsonl"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


def tracing(plain, results, rounds, make_pod, image):
    collector = Collector(plain.work / "collector")
    traced = peers.berth(plain.work, "traced", f'[tracing]\nendpoint = "{collector.address}"\n')
    try:
        traced.client.PullImage(image=image)
        both_lives(traced, plain, 0, make_pod)  # fills caches
        before = [peer.processor_time() for peer in (traced, plain)]
        for number in range(1, rounds + 1):
            for what, values in both_lives(traced, plain, number, make_pod).items():
                results.beside(what, *values)
        time.sleep(6)  # the last batch waits 5 seconds for more
        spent = [peer.processor_time() - ticks for peer, ticks in zip((traced, plain), before)]
        results.beside("processor time of a traced pod in berthd, ms", *(time / rounds for time in spent))
        print(f"{collector.spans()} spans in {rounds + 1} lives of a pod")
        assert collector.spans() > 10 * rounds, "the spans did not come to the collector"
    finally:
        traced.stop()
        collector.stop()
        subprocess.run(["umount", str(plain.work / "traced" / "state")], stderr=subprocess.DEVNULL)


def both_lives(traced, plain, number, make_pod):
    """The figures of one life of a pod on each, by turns the first."""
    lives = {}
    for peer in (traced, plain) if number % 2 else (plain, traced):
        pod = make_pod(peer, f"traced{number}")
        lives[peer] = {"traced pod start, ms": pod.start()["pod start"], "traced pod end, ms": sum(pod.end().values())}
    return {what: (lives[traced][what], lives[plain][what]) for what in lives[traced]}
