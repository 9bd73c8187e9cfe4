"""Pushes images to a registry (OCI distribution-spec, push)."""
import urllib.error
import urllib.parse
import urllib.request

from .oci import MEDIA, digest


class Registry:
    """A registry without authentication, `http://127.0.0.1:5000`."""

    def __init__(self, address):
        self.address = address.rstrip("/")

    def push(self, image, repository, tags, index=False):
        """Stores the image under every tag; returns the digest that the tags lead to."""
        for data in image.blobs().values():
            self._push_blob(repository, data)
        body, kind = image.manifest, MEDIA + "manifest.v1+json"
        if index:
            self._put_manifest(repository, digest(body), body, kind)
            body, kind = image.index, MEDIA + "index.v1+json"
        for tag in tags:
            self._put_manifest(repository, tag, body, kind)
        return digest(body)

    def _push_blob(self, repository, data):
        name = digest(data)
        status, _, _ = self._request("HEAD", f"/v2/{repository}/blobs/{name}")
        if status == 200:
            return
        status, headers, body = self._request("POST", f"/v2/{repository}/blobs/uploads/", b"")
        self._expect(202, status, body, f"upload to {repository}")
        location = headers["Location"] + ("&" if "?" in headers["Location"] else "?") + "digest=" + name
        status, _, body = self._request("PUT", location, data, "application/octet-stream")
        self._expect(201, status, body, f"blob {name} of {repository}")

    def _put_manifest(self, repository, reference, body, kind):
        status, _, answer = self._request("PUT", f"/v2/{repository}/manifests/{reference}", body, kind)
        self._expect(201, status, answer, f"manifest {repository}:{reference}")

    @staticmethod
    def _expect(wanted, status, body, what):
        if status != wanted:
            raise SystemExit(f"mkimages: {what}: the registry answered {status}: {body[:200]!r}")

    def _request(self, method, path, data=None, kind=None):
        url = urllib.parse.urljoin(self.address + "/", path)
        request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": kind} if kind else {})
        try:
            with urllib.request.urlopen(request) as response:
                return response.status, response.headers, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()
