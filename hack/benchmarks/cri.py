"""A CRI client without generated code: messages are made from the descriptors that protoc writes of our own definitions."""
import pathlib
import subprocess
import tempfile
import time

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent / "cri-api"


def load_pool():
    with tempfile.NamedTemporaryFile() as out:
        protos = sorted(str(p.relative_to(ROOT)) for p in ROOT.rglob("*.proto"))
        subprocess.run(["protoc", "-I", str(ROOT), "--include_imports", f"--descriptor_set_out={out.name}", *protos], check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(open(out.name, "rb").read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return pool


POOL = load_pool()


def message(kind, /, **fields):
    return message_factory.GetMessageClass(POOL.FindMessageTypeByName("runtime.v1." + kind))(**fields)


def timed(call):
    """Milliseconds that it took, and its result."""
    began = time.perf_counter()
    result = call()
    return (time.perf_counter() - began) * 1000, result


class Client:
    """Calls of one daemon: `client.RunPodSandbox(config=…)`."""

    def __init__(self, socket):
        self.socket = socket
        self.channel = grpc.insecure_channel("unix://" + socket, options=[("grpc.default_authority", "localhost")])
        self.calls = {}
        for service in ("RuntimeService", "ImageService"):
            descriptor = POOL.FindServiceByName("runtime.v1." + service)
            for method in descriptor.methods:
                if method.client_streaming or method.server_streaming:
                    continue
                request = message_factory.GetMessageClass(method.input_type)
                response = message_factory.GetMessageClass(method.output_type)
                call = self.channel.unary_unary(
                    f"/{descriptor.full_name}/{method.name}", request_serializer=request.SerializeToString,
                    response_deserializer=response.FromString)
                self.calls[method.name] = (call, request)

    def times(self, name, times, **fields):
        """Milliseconds that each of some calls took, by h2load: what the daemon takes, without what a gRPC library in Python takes."""
        _, request = self.calls[name]
        service = "ImageService" if "Image" in name else "RuntimeService"
        encoded = request(**fields).SerializeToString()
        with tempfile.NamedTemporaryFile() as body, tempfile.NamedTemporaryFile("r") as log:
            body.write(b"\0" + len(encoded).to_bytes(4, "big") + encoded)
            body.flush()
            subprocess.run(
                ["h2load", "-n", str(times), "-c", "1", "-m", "1", "-B", f"unix:{self.socket}", "-d", body.name, "--log-file", log.name,
                 "-H", "content-type: application/grpc", "-H", "te: trailers", f"http://localhost/runtime.v1.{service}/{name}"],
                check=True, stdout=subprocess.DEVNULL)
            calls = [line.split() for line in log]  # start, HTTP status, microseconds
        assert len(calls) == times and all(status == "200" for _, status, _ in calls), calls[:3]
        return [int(took) / 1000 for _, _, took in calls]

    def __getattr__(self, name):
        call, request = self.calls[name]
        return lambda **fields: call(request(**fields), timeout=300)
