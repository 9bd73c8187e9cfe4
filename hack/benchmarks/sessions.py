"""Exec and port-forward: throughput and what it costs, with the same client (crictl) for both peers. Every byte is checked, in a pass of its own.

CRICTL names the client (default: crictl in PATH), SESSION_MIB how much each transfer carries (default: 1024).
containerd 1.6 speaks SPDY only: beside Berth's WebSocket stands its SPDY.
"""
import hashlib
import os
import shutil
import socket
import subprocess
import time

from logs import runtime_seconds

MIB = int(os.environ.get("SESSION_MIB", "1024"))
BLOCK = 16 << 20
COUNT = MIB * (1 << 20) // BLOCK
SESSIONS = 200
# busybox' wc and head read byte by byte. A server must know by itself when it has all: containerd 1.6 forwards no half-close.
READ = f"dd bs=1M count={MIB} iflag=fullblock"
COUNT_BYTES = READ + " of=/dev/null 2>&1 | grep out"
DIGEST_BYTES = READ + " 2>/dev/null | sha256sum"
SEND = f"i=0; while [ $i -lt {COUNT} ]; do cat /block; i=$((i + 1)); done"
TRANSPORTS = ("spdy", "websocket")


def block():
    """What the container's /block holds: no two lines are the same."""
    return b"".join(b"%d\n" % number for number in range(10_000_000, 10_000_000 + BLOCK // 9 + 1))[:BLOCK]


def digest():
    total, piece = hashlib.sha256(), block()
    for _ in range(COUNT):
        total.update(piece)
    return total.hexdigest()


class Client:
    """crictl for one container of one peer."""

    def __init__(self, peer, pod):
        program = os.environ.get("CRICTL") or shutil.which("crictl")
        if not program:
            raise SystemExit("crictl is not in PATH: name it with CRICTL")
        self.peer, self.pod = peer, pod
        self.command = [program, "-r", f"unix://{peer.socket}"]

    def start(self, transport, *words, **streams):
        # containerd's SPDY stands beside both.
        used = transport if self.peer.name == "berth" else "spdy"
        return subprocess.Popen(self.command + [words[0], "--transport", used, *words[1:]], stderr=subprocess.DEVNULL, **streams)

    def sync(self, script):
        answer = self.peer.client.ExecSync(container_id=self.pod.container, cmd=["/bin/sh", "-c", script], timeout=300)
        if answer.exit_code != 0:
            raise SystemExit(f"{self.peer.name}: {script}: {answer.stderr.decode()}")
        return answer.stdout.decode()


class Measured:
    """Wall-clock and processor time of the runtime around a transfer."""

    def __init__(self, client):
        self.client = client

    def __enter__(self):
        self.seconds = runtime_seconds(self.client.peer, self.client.pod.id)
        self.began = time.perf_counter()
        return self

    def __exit__(self, kind, *rest):
        self.elapsed = time.perf_counter() - self.began
        self.seconds = runtime_seconds(self.client.peer, self.client.pod.id) - self.seconds

    def add(self, results, what):
        results.add(what + ", MiB/s", self.client.peer, MIB / self.elapsed)
        results.add(what + ", us of CPU a MiB", self.client.peer, max(1, self.seconds * 1e6 / MIB))


def check(what, got, wanted):
    if got != wanted:
        raise SystemExit(f"{what}: {got}, not {wanted}")


def feed(write):
    piece = block()
    for _ in range(COUNT):
        write(piece)


def exec_down(client, transport, sink):
    process = client.start(transport, "exec", client.pod.container, "/bin/sh", "-c", SEND, stdout=sink)
    return process


def exec_up(client, transport, command):
    """What `command` says of its input."""
    process = client.start(
        transport, "exec", "-i", client.pod.container, "/bin/sh", "-c", command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    feed(process.stdin.write)
    process.stdin.close()
    answer = process.stdout.read().decode()
    check("crictl exec", process.wait(), 0)
    return answer.split()[0]


def exec_once(client, transport, results, keep, wanted):
    name = f"exec, {transport}"
    if not keep:  # the digests, and caches are warm
        process = exec_down(client, transport, subprocess.PIPE)
        got = hashlib.sha256()
        for piece in iter(lambda: process.stdout.read(1 << 20), b""):
            got.update(piece)
        check("crictl exec", process.wait(), 0)
        check(f"{client.peer.name}: {name}: digest out", got.hexdigest(), wanted)
        check(f"{client.peer.name}: {name}: digest in", exec_up(client, transport, DIGEST_BYTES), wanted)
        return
    with Measured(client) as down:
        check("crictl exec", exec_down(client, transport, subprocess.DEVNULL).wait(), 0)
    with Measured(client) as up:
        check(f"{client.peer.name}: {name}: MiB", exec_up(client, transport, COUNT_BYTES), f"{MIB}+0")
    down.add(results, name + ", out")
    up.add(results, name + ", in")


def many(client, transport, results, keep):
    """All sessions at once; each says a word and hears it again."""
    with Measured(client) as measured:
        processes = [
            client.start(transport, "exec", "-i", client.pod.container, "cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(SESSIONS)]
        for number, process in enumerate(processes):
            process.stdin.write(b"%d\n" % number)
            process.stdin.flush()
        for number, process in enumerate(processes):
            check("a session's word", process.stdout.readline(), b"%d\n" % number)
        for process in processes:
            process.stdin.close()
        for process in processes:
            check("a session's exit code", process.wait(), 0)
    if keep:
        results.add(f"{SESSIONS} execs at once, {transport}, ms", client.peer, measured.elapsed * 1000)


class Forward:
    """crictl port-forward to a server in the pod."""

    def __init__(self, client, transport, port):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = client.start(
            transport, "port-forward", client.pod.id, f"{self.port}:{port}", stdout=subprocess.DEVNULL)

    def __enter__(self):
        for _ in range(200):
            try:
                return socket.create_connection(("127.0.0.1", self.port))
            except ConnectionRefusedError:
                time.sleep(0.05)
        raise SystemExit("crictl port-forward does not listen")

    def __exit__(self, *rest):
        self.process.terminate()
        self.process.wait()


def serve(client):
    """Servers in the pod: one that sends, one that counts, one that digests."""
    for port, script in ((7001, SEND), (7002, COUNT_BYTES), (7003, DIGEST_BYTES)):
        client.sync(f"echo '{script}' > /serve{port}; (nc -ll -p {port} -e /bin/sh /serve{port} >/dev/null 2>&1 &) ; sleep 0.2")


def received(connection, update):
    buffer = bytearray(1 << 20)
    while count := connection.recv_into(buffer):
        update(memoryview(buffer)[:count])


def forward_up(client, transport, port):
    with Forward(client, transport, port) as connection:
        feed(connection.sendall)
        answer = connection.makefile().readline()
        connection.close()
    return (answer.split() or ["nothing"])[0]


def forward_once(client, transport, results, keep, wanted):
    name = f"port-forward, {transport}"
    counted, got = [0], hashlib.sha256()

    def count(piece):
        counted[0] += len(piece)

    with Measured(client) as down:
        with Forward(client, transport, 7001) as connection:
            received(connection, count if keep else got.update)
            connection.close()
    if not keep:
        check(f"{client.peer.name}: {name}: digest out", got.hexdigest(), wanted)
        check(f"{client.peer.name}: {name}: digest in", forward_up(client, transport, 7003), wanted)
        return
    check(f"{client.peer.name}: {name}: bytes out", counted[0], MIB << 20)
    with Measured(client) as up:
        check(f"{client.peer.name}: {name}: MiB in", forward_up(client, transport, 7002), f"{MIB}+0")
    down.add(results, name + ", out")
    up.add(results, name + ", in")


def clients(both, make_pod, name):
    made = []
    for peer in both:
        pod = make_pod(peer, name)
        pod.start()
        client = Client(peer, pod)
        client.sync(f"seq 10000000 {10_000_000 + BLOCK // 9} | head -c {BLOCK} > /block")
        made.append(client)
    return made


def execs(both, results, rounds, make_pod):
    made, wanted = clients(both, make_pod, "exec"), digest()
    for number in range(rounds + 1):
        for transport in TRANSPORTS:
            for client in made:
                exec_once(client, transport, results, number > 0, wanted)
                many(client, transport, results, number > 0)
    for client in made:
        client.pod.end()


def forwards(both, results, rounds, make_pod):
    made, wanted = clients(both, make_pod, "forward"), digest()
    for client in made:
        serve(client)
    for number in range(rounds + 1):
        for transport in TRANSPORTS:
            for client in made:
                forward_once(client, transport, results, number > 0, wanted)
    for client in made:
        client.pod.end()
