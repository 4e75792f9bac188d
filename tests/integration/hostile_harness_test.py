"""The harness finds what it is for: a server is doctored, or its books are, and exactly that must be said."""
import socket
import socketserver
import threading

import pytest

from hostile import (CONFIG, Answered, Batch, Case, Dropped, InOrder, OneOf, Reaction, Refused, Response, Taken, exchange,
                     get, judge, post)

pytestmark = pytest.mark.hostile
CLOSE = {"connection": "close"}
LIVE = Response(200, CLOSE, b'{"status":"live"}')
ERROR = b'{"code":"bad_request","message":"no"}'
ACCEPTED = b'{"accepted":1,"duplicates":0,"dead_lettered":0,"errors":[]}'


def problems_of(want, *responses, end="closed", probed=True, rest=b""):
    return judge(want, Reaction(list(responses), end, rest), probed)[0]


def test_a_right_reaction_has_no_problems():
    refusal = Response(400, CLOSE, ERROR)
    taken = Response(200, {}, ACCEPTED)

    assert problems_of(Refused(400, "bad_request"), refusal) == []
    assert problems_of(Taken((b"{}",)), taken, LIVE) == []
    assert problems_of(Answered(400), Response(400, {}, ERROR), LIVE) == []
    assert problems_of(OneOf(Dropped(), Refused(400)), refusal) == []
    assert problems_of(OneOf(Dropped(), Refused(400)), end="reset") == []
    assert problems_of(InOrder(Taken((b"{}",)), Refused(400)), taken, refusal) == []


@pytest.mark.parametrize("name,want,responses,end", [
    ("wrong status", Refused(400), [Response(500, CLOSE, ERROR)], "closed"),
    ("wrong code", Refused(400, "other"), [Response(400, CLOSE, ERROR)], "closed"),
    ("no message", Refused(400), [Response(400, CLOSE, b'{"code":"x","message":""}')], "closed"),
    ("not JSON", Refused(400), [Response(400, CLOSE, b"no")], "closed"),
    ("not UTF-8", Refused(400), [Response(400, CLOSE, b'{"code":"x","message":"\xff"}')], "closed"),
    ("no answer", Refused(400), [], "closed"),
    ("left open", Refused(400), [Response(400, CLOSE, ERROR)], "open"),
    ("not announced", Refused(400), [Response(400, {}, ERROR)], "closed"),
    ("smuggled", Refused(400), [Response(400, CLOSE, ERROR), LIVE], "closed"),
    ("closed too early", Taken((b"{}",)), [Response(200, {}, ACCEPTED)], "closed"),
    ("not taken", Taken((b"{}",)), [Response(400, {}, ERROR), LIVE], "closed"),
    ("miscounted", Taken((b"{}", b"{}")), [Response(200, {}, ACCEPTED), LIVE], "closed"),
    ("answered", Dropped(), [LIVE], "closed"),
])
def test_a_wrong_reaction_is_found(name, want, responses, end):
    assert problems_of(want, *responses, end=end), name


def test_bytes_that_are_no_answer_are_found():
    assert problems_of(Refused(400), Response(400, CLOSE, ERROR), rest=b"garbage")


def test_a_server_that_does_not_answer_is_found():
    class Silent(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(1)
            stopped.wait(20)

    stopped = threading.Event()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Silent) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        reaction = exchange(server.server_address[1], get("/"), seconds=0.5)
        stopped.set()
        server.shutdown()

    assert reaction.end == "open"
    assert judge(Refused(400), reaction)[0]


@pytest.fixture
def batch(start_penstock):
    return Batch(start_penstock(CONFIG))


def test_a_crash_is_found(batch):
    batch.server.kill()

    with pytest.raises((AssertionError, OSError)):
        batch.play(Case("any", post(b"{}"), Taken((b"{}",))))
    with pytest.raises(AssertionError, match="the server has ended"):
        batch.check_alive()


def test_a_lost_event_is_found(batch):
    batch.accepted["web"][b'{"lost":1}'] += 1

    assert batch.log_problems() == ["web: 1 of b'{\"lost\":1}' lost"]


def test_an_event_from_nowhere_is_found(batch):
    batch.server.accept_events("web", b'{"unknown":1}')

    assert batch.log_problems() == ["web: 1 of b'{\"unknown\":1}' too many"]


def test_a_dead_letter_with_the_wrong_bytes_is_found(batch):
    batch.server.accept_events("web", b'{"a":1,}')
    batch.note(Taken((), (("invalid_json", b'{"a":1, }'),)))

    assert len(batch.log_problems()) == 3  # one is lost, one is too many, of one the reason is unknown


def test_a_dead_letter_with_the_wrong_reason_is_found(batch):
    batch.server.accept_events("web", b'{"a":1,}')
    batch.note(Taken((), (("too_deep", b'{"a":1,}'),)))

    assert ["reason" in problem for problem in batch.log_problems()] == [True]


def test_a_connection_that_stays_is_found(batch):


    with socket.create_connection(("127.0.0.1", batch.server.port)):
        problems = batch.resource_problems(seconds=0.5)

    assert problems == ["connections is 2.0, more than 1"]


def test_memory_that_stays_is_found(batch):
    batch.memory_before -= 4 << 30

    assert ["memory has grown" in problem for problem in batch.resource_problems()] == [True]
