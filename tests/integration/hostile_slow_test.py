"""Clients that are slow, silent, many, or never read: those within the limits are served, the others are let go, and
good events go on meanwhile. The server's timeouts are short; nothing here measures time."""
import contextlib
import json
import socket
import time

import pytest

from hostile import (CONFIG, PATH, PROBE, Batch, Case, Dropped, InOrder, OneOf, Refused, Taken, exchange, head, judge,
                     parse_responses, post)
from penstock_process import Penstock

pytestmark = pytest.mark.hostile
EVENT = b'{"slow":1}'
OK = Taken((EVENT,))
TIMEOUTS = '''[http]
head_timeout = "400ms"
body_timeout = "400ms"
idle_timeout = "800ms"
write_timeout = "600ms"
connections_max = 400
'''
PAUSE = 0.05  # between the bytes of a client that is too slow: a head or 4 KiB of a body take far longer than allowed


def slowly(*parts, pause=PAUSE):
    """The bytes of the last part one by one with pauses, for ever; those before it at once."""
    *first, rest = parts
    yield from first
    for byte in rest:
        time.sleep(pause)
        yield bytes([byte])


def byte_by_byte(data):
    return lambda: (data[i:i + 1] for i in range(len(data)))


def chunked_head(*lines):
    return head("POST", PATH, "Transfer-Encoding: chunked", *lines)


LENGTH_OF_100_KB = head("POST", PATH, "Content-Length: 100000")
SLOW_HEAD = Refused(408, "head_timeout")
SLOW_BODY = Refused(408, "body_timeout")

CASES = [
    Case("bytes-of-a-request", byte_by_byte(post(EVENT)), OK),
    Case("bytes-of-a-chunked-request", byte_by_byte(chunked_head() + b"a\r\n" + EVENT + b"\r\n0\r\n\r\n"), OK),
    Case("bytes-of-a-bad-request", byte_by_byte(b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), Refused(400)),
    Case("bytes-of-two-requests", byte_by_byte(b"\r\n" + post(EVENT)), OK),
    Case("head-drips", lambda: slowly(b"GET / HTTP/1.1\r\nHost: h\r\nX: ", b"x" * 2000), SLOW_HEAD, "none"),
    Case("request-line-drips", lambda: slowly(b"GET /" + b"x" * 2000), SLOW_HEAD, "none"),
    Case("headers-drip", lambda: slowly(b"GET / HTTP/1.1\r\n", b"X: 1\r\n" * 400), SLOW_HEAD, "none"),
    Case("head-stops", b"POST /v1/topics/web/events HTTP/1.1\r\nHost: h\r\n", SLOW_HEAD, "none"),
    Case("one-byte", b"P", SLOW_HEAD, "none"),
    Case("silent", b"", Dropped(), "none"),
    Case("silent-after-blank-lines", b"\r\n\r\n", OneOf(Dropped(), SLOW_HEAD), "none"),
    Case("body-never-comes", LENGTH_OF_100_KB, SLOW_BODY, "none"),
    Case("body-stops", LENGTH_OF_100_KB + b" " * 50_000, SLOW_BODY, "none"),
    Case("body-drips", lambda: slowly(LENGTH_OF_100_KB, b" " * 2000), SLOW_BODY, "none"),
    Case("body-drips-at-the-end", lambda: slowly(LENGTH_OF_100_KB + b" " * 99_000, b" " * 900), SLOW_BODY, "none"),
    Case("body-awaited-never-comes", head("POST", PATH, "Content-Length: 9", "Expect: 100-continue"), SLOW_BODY, "none"),
    Case("chunk-never-comes", chunked_head(), SLOW_BODY, "none"),
    Case("chunk-size-drips", lambda: slowly(chunked_head(), b"0" * 900), SLOW_BODY, "none"),
    Case("chunk-extension-drips", lambda: slowly(chunked_head() + b"5;", b"x" * 900), SLOW_BODY, "none"),
    Case("chunks-drip", lambda: slowly(chunked_head(), b"1\r\n \r\n" * 300), SLOW_BODY, "none"),
    Case("trailer-drips", lambda: slowly(chunked_head() + b"0\r\nX: ", b"x" * 2000), SLOW_BODY, "none"),
    Case("gzip-drips", lambda: slowly(chunked_head("Content-Encoding: gzip") + b"400\r\n\x1f\x8b\x08\x08\0\0\0\0\0\3",
                                      b"n" * 1000), SLOW_BODY, "none"),
    Case("kept-alive-then-silent", post(EVENT), OK, "none"),
    Case("kept-alive-then-one-byte", post(EVENT) + b"P", InOrder(OK, SLOW_HEAD), "none"),
]


@pytest.fixture(scope="module")
def batch(penstock_bin, tmp_path_factory):
    folder = tmp_path_factory.mktemp("slow")
    server = Penstock(penstock_bin, CONFIG.replace("[http]\n", TIMEOUTS), folder / "data", folder)
    server.start(60)
    yield Batch(server)
    server.kill()


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])
def test_reaction(batch, case):
    batch.play(case)


def test_slow_clients_do_not_hold_up_others(batch):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(("127.0.0.1", batch.server.port))) for _ in range(300)]
        for number, client in enumerate(clients):
            client.sendall((b"", b"GET / HTTP", LENGTH_OF_100_KB, chunked_head() + b"5\r\n")[number % 4])
        for _ in range(20):
            batch.send_good()

        for client in clients:  # all are let go
            client.settimeout(20)
            answer = b""
            with contextlib.suppress(ConnectionResetError):
                while got := client.recv(65_536):
                    answer += got
            responses, rest = parse_responses(answer)
            assert [response.status for response in responses] in ([], [408]) and not rest


def test_a_client_that_never_reads_is_let_go(batch):
    line = b'{"filler":"' + b"x" * 2000 + b'"}'
    answer = batch.server.accept_events("web", b"\n".join([line] * 1500))
    batch.accepted["web"][line] += answer["accepted"]
    ask = head("GET", "/v1/topics/web/events?limit=10000")
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", batch.server.port))
            client.sendall(ask * 12)
        for _ in range(20):
            batch.send_good()

        assert batch.resource_problems(seconds=20) == []


def test_a_flood_of_requests_on_one_connection_is_answered_in_order(batch):
    count = 2000

    reaction = exchange(batch.server.port, b"".join(head("GET", f"/nothing/{i}") for i in range(count)) + PROBE, "none")

    assert [response.status for response in reaction.responses] == [404] * count + [200]
    assert all(f"/nothing/{i}".encode() in reaction.responses[i].body for i in range(count))


def test_connections_that_go_at_once_leave_nothing(batch):
    for _ in range(300):
        problems, _ = judge(Dropped(), exchange(batch.server.port, post(b'{"never":1}')[:-3], "reset"), probed=False)
        assert not problems

    assert batch.resource_problems() == []


def test_too_many_connections_are_refused_and_good_ones_come_again(batch):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(("127.0.0.1", batch.server.port))) for _ in range(500)]
        refused = 0
        for client in clients:
            client.settimeout(20)
            answer = b""
            with contextlib.suppress(ConnectionResetError):
                while got := client.recv(65_536):
                    answer += got
            responses, _ = parse_responses(answer)
            refused += any(response.status == 503 and json.loads(response.body)["code"] == "too_many_connections"
                           for response in responses)
        assert refused > 0

    batch.send_good()


def test_nothing_is_lost_or_left_behind(batch):
    batch.audit()
