"""A collector of traces for the tests: OTLP over gRPC and over HTTP, decoded by opentelemetry-proto and grpcio, which know nothing of Berth.

usage: collector.py DIRECTORY [CERTIFICATE KEY [CLIENT_CA]]

Writes DIRECTORY/ports ("GRPC HTTP"), then a line of JSON for each request to requests.jsonl and for each span to spans.jsonl. Every request takes the
first line of DIRECTORY/script, where there is one, and answers as that says:
  ok | hang | partial COUNT TEXT | http STATUS [RETRY_AFTER] | grpc CODE [MILLISECONDS]
With a file DIRECTORY/gzip answers over gRPC are packed.
"""
import concurrent.futures
import gzip
import http.server
import json
import os
import ssl
import sys
import threading
import time

import grpc
from google.protobuf import any_pb2, duration_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as service_grpc

directory, tls = sys.argv[1], sys.argv[2:]
lock = threading.Lock()


def next_answer():
    path = directory + "/script"
    with lock:
        if not os.path.exists(path):
            return ["ok"]
        lines = open(path).read().splitlines()
        # The last line stays.
        if len(lines) > 1:
            open(path + ".new", "w").write("\n".join(lines[1:]) + "\n")
            os.rename(path + ".new", path)
        return lines[0].split(" ", 2) if lines else ["ok"]


def value(any_value):
    kind = any_value.WhichOneof("value")
    return getattr(any_value, kind) if kind else None


def attributes(pairs):
    return {pair.key: value(pair.value) for pair in pairs}


def span(found, resource, scope):
    return {
        "trace": found.trace_id.hex(), "span": found.span_id.hex(), "parent": found.parent_span_id.hex(), "state": found.trace_state,
        "name": found.name, "kind": found.kind, "start": found.start_time_unix_nano, "end": found.end_time_unix_nano,
        "attributes": attributes(found.attributes), "status": found.status.code, "message": found.status.message, "flags": found.flags,
        "events": [{"name": e.name, "time": e.time_unix_nano, "attributes": attributes(e.attributes)} for e in found.events],
        "links": [{"trace": l.trace_id.hex(), "span": l.span_id.hex(), "attributes": attributes(l.attributes)} for l in found.links],
        "resource": resource, "scope": scope,
    }


def note(request, wire, headers, answer):
    spans = [
        span(s, attributes(r.resource.attributes), scope.scope.name)
        for r in request.resource_spans for scope in r.scope_spans for s in scope.spans
    ]
    with lock:
        # The spans of a request that is refused come again.
        if answer[0] in ("ok", "partial"):
            with open(directory + "/spans.jsonl", "a") as out:
                out.writelines(json.dumps(s) + "\n" for s in spans)
        with open(directory + "/requests.jsonl", "a") as out:
            out.write(json.dumps({"wire": wire, "headers": headers, "spans": len(spans), "answer": answer, "time": time.time()}) + "\n")


def response(answer):
    result = service.ExportTraceServiceResponse()
    if answer[0] == "partial":
        result.partial_success.rejected_spans = int(answer[1])
        result.partial_success.error_message = answer[2]
    return result


def field(number, content):
    return bytes([number << 3 | 2, len(content)]) + content


def retry_details(milliseconds):
    """google.rpc.Status with a google.rpc.RetryInfo, made by hand: their package is not needed for anything else."""
    delay = duration_pb2.Duration()
    delay.FromMilliseconds(milliseconds)
    info = any_pb2.Any(type_url="type.googleapis.com/google.rpc.RetryInfo", value=field(1, delay.SerializeToString()))
    return field(3, info.SerializeToString())


class TraceService(service_grpc.TraceServiceServicer):
    def Export(self, request, context):
        answer = next_answer()
        note(request, "grpc", dict(context.invocation_metadata()), answer)
        if os.path.exists(directory + "/gzip"):
            context.set_compression(grpc.Compression.Gzip)
        if answer[0] == "hang":
            while context.is_active():
                time.sleep(0.05)
        if answer[0] == "grpc":
            if len(answer) > 2:
                context.set_trailing_metadata((("grpc-status-details-bin", retry_details(int(answer[2]))),))
            context.abort(getattr(grpc.StatusCode, answer[1]), "by the script")
        return response(answer)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        request = service.ExportTraceServiceRequest.FromString(body)
        answer = next_answer()
        note(request, "http", {"path": self.path, **{k.lower(): v for k, v in self.headers.items()}}, answer)
        if answer[0] == "hang":
            time.sleep(3600)
        status = int(answer[1]) if answer[0] == "http" else 200
        body = response(answer).SerializeToString()
        self.send_response(status)
        if answer[0] == "http" and len(answer) > 2:
            self.send_header("Retry-After", answer[2])
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


def main():
    grpc_server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    service_grpc.add_TraceServiceServicer_to_server(TraceService(), grpc_server)
    http_server = Server(("127.0.0.1", 0), Handler)
    if tls:
        certificate, key = (open(path, "rb").read() for path in tls[:2])
        authority = open(tls[2], "rb").read() if len(tls) > 2 else None
        port = grpc_server.add_secure_port(
            "127.0.0.1:0", grpc.ssl_server_credentials([(key, certificate)], authority, authority is not None))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls[0], tls[1])
        if authority:
            context.load_verify_locations(tls[2])
            context.verify_mode = ssl.CERT_REQUIRED
        http_server.socket = context.wrap_socket(http_server.socket, server_side=True, do_handshake_on_connect=False)
    else:
        port = grpc_server.add_insecure_port("127.0.0.1:0")
    grpc_server.start()
    with open(directory + "/ports.new", "w") as out:
        out.write(f"{port} {http_server.server_address[1]}")
    os.rename(directory + "/ports.new", directory + "/ports")
    http_server.serve_forever()


main()
