"""The images that critest and the tests name, by repository.

A catalogue entry is (repository, tags, image, index): `index` says whether the tags lead to an image index, as most public
images' do, or to the manifest itself.
"""
import itertools
import os
import subprocess
import tempfile

from .oci import Image, Layer, copy, directory, file
from .rootfs import GROUP, PASSWD, busybox, libraries, programs, tree

STAGING = "k8s-staging-cri-tools/"
SHELL = {"Cmd": ["sh"]}

PAUSE = r"""
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void stop(int number) { (void)number; _exit(0); }
static void reap(int number) { (void)number; while (waitpid(-1, 0, WNOHANG) > 0); }
int main(void) {
  struct sigaction action = {.sa_handler = reap, .sa_flags = SA_NOCLDSTOP};
  signal(SIGINT, stop);
  signal(SIGTERM, stop);
  sigaction(SIGCHLD, &action, 0);
  for (;;) pause();
}
"""
# Setuid root: says whether no_new_privs kept it from becoming that.
EFFECTIVE_UID = r"""
#include <stdio.h>
#include <unistd.h>
int main(void) { printf("Effective uid: %d\n", geteuid()); return 0; }
"""
# Keeps one processor busy and holds as many megabytes as asked for.
CONSUME = r"""
#include <stdlib.h>
#include <string.h>
int main(int count, char **arguments) {
  size_t bytes = (size_t)(count > 1 ? atoi(arguments[1]) : 50) << 20;
  memset(malloc(bytes), 1, bytes);
  for (volatile long turn = 0;; turn++);
}
"""


def catalogue(work, big_tree=None, variants=0):
    """Everything, one image at a time. `work` keeps what takes long to make; `big_tree` adds the images for pull benchmarks."""
    # The specs tell "Permission denied" of a masked applet: busybox's own shell would run the applet without executing the path.
    base = Layer(busybox(shell="/bin/dash") + programs("/usr/bin/ipcs", "/usr/bin/ipcmk", "/usr/bin/pgrep"))
    yield from shells(base)
    yield from pauses(work)
    yield from users(base)
    yield from references(base)
    yield from servers(base, work)
    yield from special(base, work)
    if big_tree:
        yield from benchmarks(base, big_tree, variants)


def shells(base):
    """busybox under every name the suites use."""
    names = {
        "e2e-test-images/busybox": ["1.29-2", "1.29-4", "1.29"], "containerd/busybox": ["1.36", "latest"],
        "containerd/alpine": ["3.14.0", "latest"], "library/busybox": ["latest", "1.36"], "library/alpine": ["latest"],
        "containerd/containerd/busybox": ["latest"],
    }
    for repository, tags in names.items():
        yield repository, tags, Image([base], SHELL), True


def pauses(work):
    layer = Layer([file("pause", compiled(work, "pause", PAUSE), 0o755)])
    config = {"Entrypoint": ["/pause"], "User": "65535:65535", "WorkingDir": "/"}
    # Some specs count images by digest: the two must not share theirs.
    yield "pause", ["3.10", "3.10.1", "3.10.2"], Image([layer], {**config, "Labels": {"v": "3.10"}}), True
    yield "pause", ["3.9", "3.6"], Image([layer], config), True


def users(base):
    """Images whose configuration names a user in every way it can."""
    named = {"uid": "1002", "username": "www-data", "uid-group": "1003:users", "username-group": "www-data:100"}
    for name, user in named.items():
        yield f"{STAGING}test-image-user-{name}", ["latest"], Image([base], {**SHELL, "User": user}), False
    passwd = PASSWD + "default-user:x:1000:1000:Linux User,,,:/home/default-user:/bin/sh\n"
    group = GROUP + "default-user:x:1000:\ngroup-defined-in-image:x:50000:default-user\n"
    layer = Layer(busybox(passwd, group, shell="/bin/dash") + libraries("/bin/dash"))
    yield STAGING + "test-image-predefined-group", ["latest"], Image([layer], {**SHELL, "User": "1000"}), False


def references(base):
    """Images that are only pulled, listed and removed; each has a file of its own, and so a digest of its own."""
    names = {
        "test-image-latest": ["latest"], "test-image-tag": ["test"], "test-image-digest": ["test"], "test-image-1": ["latest"],
        "test-image-2": ["latest"], "test-image-3": ["latest"], "test-image-tags": ["1", "2", "3"],
    }
    for name, tags in names.items():
        yield STAGING + name, tags, Image([base, marker(name)], SHELL), True
    yield STAGING + "test-image-tag", ["all"], Image([base, marker("test-image-all")], SHELL), True


def marker(name):
    return Layer([file(name, name.encode())])


def servers(base, work):
    """nginx with the shared libraries it loads, and an httpd: some specs look for that word in its log."""
    program = nginx(work)
    config = {"Cmd": ["nginx", "-g", "daemon off;"]}
    exposed = {**config, "ExposedPorts": {"80/tcp": {}}, "StopSignal": "SIGTERM"}
    on_80 = Layer(nginx_entries(program, 80))
    yield "e2e-test-images/nginx", ["1.14-2", "1.14-4"], Image([base, on_80], exposed), True
    yield "containerd/nginx", ["1.27.0"], Image([base, on_80], config), True
    yield STAGING + "hostnet-nginx-amd64", ["latest"], Image([base, Layer(nginx_entries(program, 12003))], config), False
    start = b"#!/bin/sh\necho 'httpd -D FOREGROUND: resuming normal operations'\nexec /bin/busybox httpd -f -p 80 -h /www\n"
    httpd = Layer([
        directory("usr/local"), directory("usr/local/bin"), directory("www"),
        file("www/index.html", b"<html><body><h1>It works!</h1></body></html>\n"),
        file("usr/local/bin/httpd-foreground", start, 0o755),
    ])
    yield "e2e-test-images/httpd", ["2.4.39-4", "2.4.38-4"], Image([base, httpd], {"Cmd": ["httpd-foreground"]}), True


def nginx_entries(program, port):
    conf = f"""user root;
worker_processes 1;
error_log /dev/stderr notice;
pid /var/run/nginx.pid;
events {{ worker_connections 64; }}
http {{ access_log /dev/stdout; server {{ listen {port}; location / {{ root /usr/share/nginx/html; index index.html; }} }} }}
"""
    page = b"<html><head><title>Welcome to nginx!</title></head><body>Welcome to nginx!</body></html>\n"
    folders = ["etc/nginx", "usr/share", "usr/share/nginx", "usr/share/nginx/html", "var/lib", "var/lib/nginx", "var/log", "var/log/nginx"]
    return [directory(folder) for folder in folders] + libraries(program) + [
        copy("usr/sbin/nginx", program), file("etc/nginx/nginx.conf", conf.encode()), file("usr/share/nginx/html/index.html", page),
    ]


def nginx(work):
    """Debian's nginx, unpacked but not installed."""
    unpacked = os.path.join(work, "nginx")
    program = os.path.join(unpacked, "usr/sbin/nginx")
    if not os.path.exists(program):
        os.makedirs(unpacked, exist_ok=True)
        with tempfile.TemporaryDirectory() as downloads:
            # Which of the packages holds the program has changed between releases.
            for package in ("nginx", "nginx-light"):
                subprocess.run(["apt-get", "download", package], cwd=downloads, capture_output=True)
            for package in sorted(os.listdir(downloads)):
                subprocess.run(["dpkg", "-x", os.path.join(downloads, package), unpacked], check=True)
    if not os.path.exists(program):
        raise SystemExit("mkimages: nginx cannot be downloaded: try apt-get update")
    return program


def special(base, work):
    """One property each: a setuid program, a hungry one, volumes with content and with an owner."""
    setuid = Layer([file("nnp", compiled(work, "nnp", EFFECTIVE_UID), 0o4755)])
    yield "e2e-test-images/nonewprivs", ["1.3"], Image([base, setuid], {"Cmd": ["/nnp"]}), True
    hungry = compiled(work, "consume", CONSUME)
    layer = Layer([file("usr/bin/consume", hungry, 0o755), file("stress", hungry, 0o755)])
    yield "e2e-test-images/resource-consumer", ["1.10", "1.9"], Image([base, layer], SHELL), True
    content = Layer([directory("test_dir"), file("test_dir/test_file", b"test_content\n"), directory("C:")])
    yield "containerd/volume-copy-up", ["2.2"], Image([base, content], {**SHELL, "Volumes": {"/test_dir": {}}}), True
    owned = Layer([directory(name, uid=65534, gid=65534) for name in ("volumes", "test_dir")])
    volumes = {**SHELL, "Volumes": {"/test_dir": {}, "/volumes": {}}}
    yield "containerd/volume-ownership", ["2.1"], Image([base, owned], volumes), True


def benchmarks(base, big_tree, variants):
    """What bounds a pull: one large layer of real files (some 140 MB compressed), and many small layers (25 of some 36 MB in all).

    A tag for each round: a layer that was removed and is unpacked again within minutes costs ext4 a search past the inodes just freed.
    """
    big = [base, Layer(tree(big_tree, "opt/tree", 400 << 20))]
    roots = ["/usr/lib/x86_64-linux-gnu", "/usr/share", "/usr/lib"]
    folders = sorted(os.path.join(root, name) for root in roots if os.path.isdir(root) for name in os.listdir(root))
    trees = (tree(folder, f"opt/{number}", 8 << 20, most=600) for number, folder in enumerate(folders) if os.path.isdir(folder))
    chosen = itertools.islice((entries for entries in trees if len(entries) >= 40), 24)  # no layer of one file, none of ten thousand
    many = [base] + [Layer(entries) for entries in chosen]
    for variant in range(variants):
        for name, layers in (("bench/big", big), ("bench/many", many)):
            yield name, [str(variant)], Image([layer.variant(variant) for layer in layers], SHELL), True


def compiled(work, name, source):
    """A static program, compiled once for each working directory."""
    program = os.path.join(work, name)
    if not os.path.exists(program):
        with open(program + ".c", "w") as stream:
            stream.write(source)
        subprocess.run(["cc", "-O2", "-static", "-o", program, program + ".c"], check=True)
    with open(program, "rb") as stream:
        return stream.read()
