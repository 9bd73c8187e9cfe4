"""OCI images in memory: layers, configuration, manifest; written as a docker archive or an OCI layout.

The same content gives the same bytes: times are fixed, entries come in the order in which they were given.
"""
import gzip
import hashlib
import io
import json
import os
import platform
import tarfile
from dataclasses import dataclass, field

MEDIA = "application/vnd.oci.image."
MTIME = 1700000000
CREATED = "2024-01-01T00:00:00Z"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def architecture():
    machine = platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


@dataclass(frozen=True)
class Entry:
    """One entry of a layer. `content` is bytes for a file, the target for a link."""

    path: str
    kind: bytes = tarfile.REGTYPE
    content: object = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0


def directory(path, mode=0o755, uid=0, gid=0):
    return Entry(path, tarfile.DIRTYPE, None, mode, uid, gid)


def file(path, content, mode=0o644):
    return Entry(path, tarfile.REGTYPE, content, mode)


def copy(path, source, mode=0o755):
    with open(source, "rb") as stream:
        return file(path, stream.read(), mode)


def hard_link(path, target):
    return Entry(path, tarfile.LNKTYPE, target, 0o755)


class Layer:
    """A gzipped tar with its two digests: of the compressed bytes, and of the tar (the diff ID)."""

    def __init__(self, entries):
        tar = self._tar(entries)
        self._set(tar, gzip.compress(tar, 6, mtime=0))

    def _set(self, tar, blob):
        self.tar, self.diff_id = tar, digest(tar)
        self.blob, self.digest = blob, digest(blob)

    def variant(self, number):
        """The same with one small file in front, as a gzip member of its own: other digests without compressing all again."""
        end = 2 * tarfile.BLOCKSIZE  # zeros that would end the archive, and what fills up the record
        front = self._tar([file(f"variant-{number}", b"x")])[:end]
        other = Layer.__new__(Layer)
        other._set(front + self.tar, gzip.compress(front, 6, mtime=0) + self.blob)
        return other

    @staticmethod
    def _tar(entries):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for entry in entries:
                info = tarfile.TarInfo(entry.path)
                info.type, info.mode, info.uid, info.gid, info.mtime = entry.kind, entry.mode, entry.uid, entry.gid, MTIME
                if entry.kind == tarfile.REGTYPE:
                    info.size = len(entry.content)
                    tar.addfile(info, io.BytesIO(entry.content))
                else:
                    info.linkname = entry.content or ""
                    tar.addfile(info)
        return stream.getvalue()


@dataclass
class Image:
    """Layers and the `config` section of an image configuration (Cmd, Env, User …)."""

    layers: list
    config: dict = field(default_factory=dict)
    history: str = "berth"

    @property
    def configuration(self):
        return json.dumps({
            "created": CREATED, "architecture": architecture(), "os": "linux",
            "config": {"Env": [PATH], **self.config},
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in self.layers]},
            "history": [{"created": CREATED, "created_by": self.history} for _ in self.layers],
        }).encode()

    @property
    def manifest(self):
        configuration = self.configuration
        return json.dumps({
            "schemaVersion": 2, "mediaType": MEDIA + "manifest.v1+json",
            "config": {"mediaType": MEDIA + "config.v1+json", "digest": digest(configuration), "size": len(configuration)},
            "layers": [{"mediaType": MEDIA + "layer.v1.tar+gzip", "digest": layer.digest, "size": len(layer.blob)}
                       for layer in self.layers],
        }).encode()

    def descriptor(self, **more):
        manifest = self.manifest
        return {"mediaType": MEDIA + "manifest.v1+json", "digest": digest(manifest), "size": len(manifest),
                "platform": {"os": "linux", "architecture": architecture()}, **more}

    @property
    def index(self):
        return json.dumps({"schemaVersion": 2, "mediaType": MEDIA + "index.v1+json", "manifests": [self.descriptor()]}).encode()

    def blobs(self):
        """Everything the manifest names, by digest."""
        configuration = self.configuration
        return {**{layer.digest: layer.blob for layer in self.layers}, digest(configuration): configuration}


def write_layout(image, path, reference):
    """An OCI layout directory (image-spec, image-layout.md)."""
    blobs = {**image.blobs(), digest(image.manifest): image.manifest}
    os.makedirs(os.path.join(path, "blobs", "sha256"), exist_ok=True)
    for name, data in blobs.items():
        _write(os.path.join(path, "blobs", *name.split(":")), data)
    descriptor = image.descriptor(annotations={"org.opencontainers.image.ref.name": reference})
    _write(os.path.join(path, "index.json"), json.dumps({"schemaVersion": 2, "manifests": [descriptor]}).encode())
    _write(os.path.join(path, "oci-layout"), b'{"imageLayoutVersion": "1.0.0"}')


def write_docker_archive(image, path, reference):
    """What `docker save` writes: plain layer tars, the configuration, manifest.json."""
    configuration = image.configuration
    name = digest(configuration).split(":")[1] + ".json"
    layers = [(layer.diff_id.split(":")[1] + "/layer.tar", layer.tar) for layer in image.layers]
    manifest = [{"Config": name, "RepoTags": [reference], "Layers": [layer for layer, _ in layers]}]
    entries = [file(layer, data) for layer, data in layers]
    entries += [file(name, configuration), file("manifest.json", json.dumps(manifest).encode())]
    _write(path, Layer(entries).tar)


def _write(path, data):
    with open(path, "wb") as stream:
        stream.write(data)
