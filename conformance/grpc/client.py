"""A gRPC client nobody here wrote, against the echo service of the tests: python3 client.py unix:/path

Messages are written by hand (BytesValue, StringValue: field 1 as bytes; Int64Value: field 1 as varint), so that no generated code is needed.
Each check is a function; the first one that fails ends the run with its name.
"""

import sys
import threading
import time

import grpc

ECHO = "/berth.test.Echo/"
HEALTH = "/grpc.health.v1.Health/"
OPTIONS = [("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20)]


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out + bytes([number]))


def text(value):
    value = value if isinstance(value, bytes) else value.encode()
    return b"\x0a" + varint(len(value)) + value if value else b""


def number(value):
    return b"\x08" + varint(value) if value else b""


def unary(channel, path, request=b"", **options):
    return channel.unary_unary(path, None, None)(request, **options)


def expect_error(code, call, contains=""):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, f"{error.code()}: {error.details()}"
        assert contains in error.details(), error.details()
        return error
    raise AssertionError(f"no error, expected {code}")


def check_echo(channel):
    for size in (0, 1, 1000, 70_000, 8_000_000):
        message = text(b"x" * size)
        assert unary(channel, ECHO + "Echo", message) == message


def check_concurrency(channel):
    call = channel.unary_unary(ECHO + "Echo", None, None)
    futures = [call.future(text(str(index))) for index in range(2000)]
    for index, future in enumerate(futures):
        assert future.result(timeout=60) == text(str(index))


def check_metadata(channel):
    answer = unary(channel, ECHO + "Metadata", text("x-who"), metadata=[("x-who", "one"), ("x-who", "two")])
    assert answer == text("one|two"), answer


def check_status(channel):
    message = "pod x/y: 100% größe\n網路"
    expect_error(grpc.StatusCode.NOT_FOUND, lambda: unary(channel, ECHO + "Fail", text("NOT_FOUND " + message)), message)
    long = "ABORTED " + "ä" * 100_000
    expect_error(grpc.StatusCode.ABORTED, lambda: unary(channel, ECHO + "Fail", text(long)), "ää…")


def check_unknown(channel):
    expect_error(grpc.StatusCode.UNIMPLEMENTED, lambda: unary(channel, ECHO + "Nope"), ECHO + "Nope")
    expect_error(grpc.StatusCode.UNIMPLEMENTED, lambda: unary(channel, "/no.Service/X"), "/no.Service/X")


def check_deadline(channel):
    start = time.monotonic()
    expect_error(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: unary(channel, ECHO + "Hang", timeout=0.2))
    assert time.monotonic() - start < 5


def check_cancel(channel):
    future = channel.unary_unary(ECHO + "Hang", None, None).future(b"")
    time.sleep(0.05)
    assert future.cancel()
    assert future.code() == grpc.StatusCode.CANCELLED


def check_streaming(channel):
    answers = list(channel.unary_stream(ECHO + "Count", None, None)(number(500)))
    assert answers == [number(index) for index in range(500)]
    seen = []
    stream = channel.unary_stream(ECHO + "CountThenFail", None, None)(number(3))
    expect_error(grpc.StatusCode.DATA_LOSS, lambda: seen.extend(iter(stream)), "after 3")


def check_slow_reader(channel):
    total = 0
    for index, answer in enumerate(channel.unary_stream(ECHO + "Flood", None, None)(number(200))):
        if index < 3:
            time.sleep(0.1)
        total += len(answer)
    assert total == 200 * len(text(b"x" * 100_000)), total


def check_stream_cancel(channel):
    stream = channel.unary_stream(ECHO + "HangOpen", None, None)(b"")
    threading.Timer(0.1, stream.cancel).start()
    expect_error(grpc.StatusCode.CANCELLED, lambda: list(stream))


def check_limits(channel):
    too_big = text(b"x" * (17 << 20))
    expect_error(grpc.StatusCode.RESOURCE_EXHAUSTED, lambda: unary(channel, ECHO + "Echo", too_big), f"{len(too_big)} bytes exceeds the limit of {16 << 20}")
    expect_error(grpc.StatusCode.RESOURCE_EXHAUSTED, lambda: unary(channel, ECHO + "Big", number(17 << 20)), "exceeds the limit")


def check_compression(channel):
    call = channel.unary_unary(ECHO + "Echo", None, None)
    expect_error(grpc.StatusCode.UNIMPLEMENTED, lambda: call(text(b"x" * 10_000), compression=grpc.Compression.Gzip), "gzip")


def check_bad_protobuf(channel):
    expect_error(grpc.StatusCode.INVALID_ARGUMENT, lambda: unary(channel, ECHO + "Metadata", b"\xff\xff\xff"), "StringValue")


def check_health(channel):
    assert unary(channel, HEALTH + "Check") == number(1)
    expect_error(grpc.StatusCode.NOT_FOUND, lambda: unary(channel, HEALTH + "Check", text("nope")))
    watch = channel.unary_stream(HEALTH + "Watch", None, None)(text("nope"))
    assert next(watch) == number(3)
    watch.cancel()


def check_authority(target):
    """Some clients say the socket's path, raw or escaped, where a host should be."""
    for authority in ("localhost", "%2Frun%2Fberth%2Fberth.sock", "x" * 200):
        with grpc.insecure_channel(target, OPTIONS + [("grpc.default_authority", authority)]) as channel:
            check_echo(channel)


def main(target):
    checks = [check for name, check in globals().items() if name.startswith("check_") and name != "check_authority"]
    with grpc.insecure_channel(target, OPTIONS) as channel:
        for check in checks:
            try:
                check(channel)
                # Whatever was wrong: the next good request works.
                assert unary(channel, ECHO + "Echo", text("good")) == text("good")
            except BaseException:
                print("failed:", check.__name__, file=sys.stderr)
                raise
    check_authority(target)
    print(f"passed: {len(checks) + 1} checks")


if __name__ == "__main__":
    main(sys.argv[1])
