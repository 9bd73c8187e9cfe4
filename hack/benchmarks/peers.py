"""The daemons that are measured: Berth and Debian's containerd, each with its own directories, all else the same."""
import json
import os
import pathlib
import socket
import subprocess
import time
import urllib.request

from cri import Client

CNI = {
    "cniVersion": "1.0.0", "name": "berthbench",
    "plugins": [
        {"type": "bridge", "bridge": "berthbench", "isGateway": True, "ipMasq": True,
         "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.97.0.0/16"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ],
}


class Peer:
    """One daemon: its process, its client, and which processes are its pods' overhead."""

    def __init__(self, name, work, command, socket, overhead, layers, metrics=None):
        self.name, self.work, self.socket, self.overhead, self.metrics = name, work, socket, overhead, metrics
        self.layers = lambda: list(work.glob(layers))  # what unpacked layers it has
        self.log = open(work / f"{name}.log", "w")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, start_new_session=True)
        for _ in range(300):
            if os.path.exists(socket):
                break
            if self.process.poll() is not None:
                raise SystemExit(f"{name} ended at its start: see {self.log.name}")
            time.sleep(0.1)
        self.client = Client(socket)
        for _ in range(100):
            try:
                self.client.Version()
                return
            except Exception:  # it listens before it serves
                time.sleep(0.1)
        raise SystemExit(f"{name} does not answer")

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        self.log.close()

    def scrape(self):
        """All that its endpoint of metrics tells."""
        return urllib.request.urlopen(self.metrics, timeout=60).read()

    def processor_time(self):
        """Of the daemon itself, in ms."""
        fields = open(f"/proc/{self.process.pid}/stat").read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """PSS of the daemon, and of all its pods' overhead (shims and what holds the namespaces), in kB."""
        return pss(self.process.pid), sum(pss(pid) for pid in pids() if self.overhead(command_line(pid)))


def pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def command_line(pid):
    try:
        return open(f"/proc/{pid}/cmdline", "rb").read().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def pss(pid):
    try:
        lines = open(f"/proc/{pid}/smaps_rollup").read().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def free_address():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return "127.0.0.1:%d" % listener.getsockname()[1]


def berth(work, name="berth", more=""):
    """`more` are tables for its configuration."""
    root, metrics = work / name, free_address()
    (root / "cni").mkdir(parents=True)
    (root / "cni" / "10-bench.conflist").write_text(json.dumps(CNI))
    config = root / "config.toml"
    config.write_text(
        f'root = "{root}/root"\nstate = "{root}/state"\n[grpc]\naddress = "{root}/berth.sock"\n'
        f'[cni]\nconf_dir = "{root}/cni"\nbin_dirs = ["/usr/lib/cni"]\n[registry]\nconfig_path = "{os.environ["CERTS_D"]}"\n'
        f'[metrics]\naddress = "{metrics}"\ncontainers = true\n{more}')
    command = [os.environ["BERTH_BIN"] + "/berthd", "--config", str(config), "--log-level", "warning"]
    return Peer(
        name, work, command, f"{root}/berth.sock", lambda line: "berth-shim" in line or "berth-holder" in line,
        f"{name}/root/layers/sha256-*", f"http://{metrics}/metrics")


def containerd(work):
    root, metrics = work / "containerd", free_address()
    (root / "cni").mkdir(parents=True)
    (root / "cni" / "10-bench.conflist").write_text(json.dumps(CNI))
    config = root / "config.toml"
    config.write_text(f'''version = 2
root = "{root}/root"
state = "{root}/state"
[grpc]
  address = "{root}/containerd.sock"
[metrics]
  address = "{metrics}"
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  sandbox_image = "registry.k8s.io/pause:3.10.2"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{os.environ["CERTS_D"]}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{root}/cni"
''')
    command = ["/usr/bin/containerd", "--config", str(config), "--log-level", "error"]
    return Peer(
        "containerd", work, command, f"{root}/containerd.sock", lambda line: "containerd-shim" in line or line.startswith("/pause"),
        "containerd/root/io.containerd.snapshotter.v1.overlayfs/snapshots/*", f"http://{metrics}/v1/metrics")
