"""Root file systems from Debian's packages: busybox-static, dash, procps, util-linux, nginx-light."""
import os
import subprocess

from .oci import copy, directory, file, hard_link

BUSYBOX = "/bin/busybox"
DIRECTORIES = ["bin", "etc", "root", "usr", "usr/sbin", "usr/bin", "var", "home", "dev", "proc", "sys", "run", "var/run", "var/www"]
PASSWD = """root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
bin:x:2:2:bin:/bin:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
operator:x:37:37:Operator:/var:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
"""
GROUP = """root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:
tty:x:5:
disk:x:6:
mail:x:8:
utmp:x:43:
www-data:x:33:
users:x:100:
nobody:x:65534:
"""


def applets():
    if not os.path.exists(BUSYBOX):
        raise SystemExit(f"{BUSYBOX} is missing: apt-get install busybox-static")
    names = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split()
    return sorted(set(names) - {"busybox"})


def busybox(passwd=PASSWD, group=GROUP, shell=None):
    """A system in one program. Applets are hard links, so that masking one path leaves the others; `shell` replaces sh."""
    entries = [directory(path) for path in DIRECTORIES] + [directory(path, 0o1777) for path in ("tmp", "var/tmp")]
    entries.append(copy("bin/busybox", BUSYBOX))
    entries += [hard_link(f"bin/{name}", "bin/busybox") for name in applets() if shell is None or name != "sh"]
    if shell is not None:
        entries.append(copy("bin/sh", shell))
    return entries + [
        file("etc/passwd", passwd.encode()), file("etc/group", group.encode()),
        file("etc/hosts", b"127.0.0.1 localhost\n"), file("etc/shadow", b"root:::0:::::\n", 0o600),
    ]


def libraries(*programs):
    """The shared libraries that programs load, the loader included."""
    found = set()
    for program in programs:
        output = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        found |= {word for word in output.split() if word.startswith("/") and os.path.exists(word)}
    folders = {os.path.dirname(library).lstrip("/") for library in found}
    parents = {"/".join(parts[:depth]) for parts in (folder.split("/") for folder in folders) for depth in range(1, len(parts) + 1)}
    entries = [directory(folder) for folder in sorted(parents)]
    return entries + [copy(library.lstrip("/"), os.path.realpath(library)) for library in sorted(found)]


def programs(*paths):
    """Dynamically linked programs of this machine, below usr/bin."""
    return [copy("usr/bin/" + os.path.basename(path), path) for path in paths] + libraries(*paths)


def tree(root, prefix, limit, most=1 << 30):
    """A folder's real files under another name, up to so many bytes and entries of them."""
    entries, total = [directory(prefix)], 0
    for folder, folders, files in os.walk(root):
        folders.sort()
        relative = os.path.relpath(folder, root)
        target = prefix if relative == "." else f"{prefix}/{relative}"
        if relative != ".":
            entries.append(directory(target))
        for name in sorted(files) if len(entries) < most else []:
            path = os.path.join(folder, name)
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            size = os.path.getsize(path)
            if total + size > limit:
                continue
            entries.append(copy(f"{target}/{name}", path, 0o644))
            total += size
    return entries
