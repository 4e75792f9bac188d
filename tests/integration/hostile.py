"""Hostile requests: bytes for a raw socket, what must come of them, and the books of what the log must hold.

A Case says what is sent and what reaction is right. A Batch is a server with its books: it plays cases, sends a
good event after each, and its audit compares log, dead letters, connections and memory with what they must be.
"""
import base64
import collections
import dataclasses
import json
import re
import selectors
import socket
import struct
import time

PATH = "/v1/topics/web/events"
# Sent behind each hostile request: answered if the connection lives, and never if it was to be closed.
PROBE = b"GET /health/live HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"


@dataclasses.dataclass(frozen=True)
class Response:
    status: int
    headers: dict  # lower-case names
    body: object   # bytes; None for an answer to HEAD

    def json(self):
        return json.loads(self.body, parse_constant=lambda text: (_ for _ in ()).throw(ValueError(text)))


@dataclasses.dataclass(frozen=True)
class Reaction:
    """What came back until the connection ended."""
    responses: list
    end: str    # "closed", "reset" or "open": the server had not ended it in time
    rest: bytes = b""  # bytes that are no response


def parse_responses(data, head_only=False):
    """([Response, ...], bytes that are no whole response); interim responses are left out."""
    responses = []
    while b"\r\n\r\n" in data:
        head, _, rest = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 (\d{3}) [ -~]+", lines[0])
        if match is None:
            break
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        size = 0 if head_only and not responses else int(headers.get("content-length", 0))
        if len(rest) < size:
            break
        if match[1] != "100":
            without_body = head_only and not responses
            responses.append(Response(int(match[1]), headers, None if without_body else rest[:size]))
        data = rest[size:]
    return responses, data


def exchange(port, data, finish="probe", seconds=20, head_only=False):
    """Sends `data` (bytes, or an iterable of bytes to send one by one) while reading; returns the Reaction.
    finish: "probe" sends PROBE behind it, "half" ends the sending side, "none" waits, "reset" goes away."""
    pieces = iter([data] if isinstance(data, bytes) else data)
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.setblocking(False)
        received, pending, sending, end = bytearray(), b"", True, "open"
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ | selectors.EVENT_WRITE)
            while time.monotonic() < deadline:
                try:
                    for _, events in selector.select(0.2):
                        if events & selectors.EVENT_READ:
                            got = client.recv(1 << 16)
                            if not got:
                                end = "closed"
                            received += got
                        if sending and end == "open" and events & selectors.EVENT_WRITE:
                            pending = pending or next(pieces, b"")
                            if pending:
                                pending = pending[client.send(pending):]
                            elif finish == "probe":
                                pieces, finish = iter([PROBE]), "none"
                            else:
                                sending = False
                                selector.modify(client, selectors.EVENT_READ)
                                if finish == "half":
                                    client.shutdown(socket.SHUT_WR)
                                elif finish == "reset":
                                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                                    return Reaction([], "closed")
                except (ConnectionResetError, BrokenPipeError):
                    end = "reset"
                if end != "open":
                    break
    responses, rest = parse_responses(bytes(received), head_only)
    return Reaction(responses, end, rest)


# --- What must come of a request -----------------------------------------------------------------------------

def as_tuple(value):
    return value if isinstance(value, tuple) else (value,)


def error_problems(response, statuses, codes):
    problems = []
    if response.status not in as_tuple(statuses):
        problems.append(f"status {response.status}, not {statuses}: {response.body[:200]!r}")
    if response.status >= 400 and response.body is not None:
        try:
            error = response.json()
            if not error["code"] or not error["message"]:
                problems.append(f"an error without code or message: {response.body[:200]!r}")
            if codes is not None and error["code"] not in as_tuple(codes):
                problems.append(f"code {error['code']}, not {codes}")
        except (ValueError, KeyError, TypeError):
            problems.append(f"the error is not JSON of code and message: {response.body[:200]!r}")
    return problems


@dataclasses.dataclass(frozen=True)
class Refused:
    """One answer with such a status and code, then the connection is closed."""
    status: object
    code: object = None
    closes = True

    def check(self, responses):
        if not responses:
            return ["no answer"], responses
        problems = error_problems(responses[0], self.status, self.code)
        if responses[0].headers.get("connection") != "close":
            problems.append("the answer does not say that the connection is closed")
        return problems, responses[1:]


@dataclasses.dataclass(frozen=True)
class Answered:
    """One answer with such a status and code; the connection goes on."""
    status: object
    code: object = None
    closes = False

    def check(self, responses):
        if not responses:
            return ["no answer"], responses
        return error_problems(responses[0], self.status, self.code), responses[1:]


@dataclasses.dataclass(frozen=True)
class Taken:
    """200: these events are accepted, these are dead letters: (code or codes, original bytes)."""
    events: tuple = ()
    dead: tuple = ()
    duplicates: int = 0
    topic: str = "web"
    closes: bool = False

    def check(self, responses):
        if not responses:
            return ["no answer"], responses
        response, problems = responses[0], []
        if response.status != 200:
            return [f"status {response.status}, not 200: {response.body[:200]!r}"], responses[1:]
        answer = response.json()
        wanted = (len(self.events), self.duplicates, len(self.dead))
        counts = (answer["accepted"], answer["duplicates"], answer["dead_lettered"])
        if counts != wanted:
            problems.append(f"accepted, duplicates, dead letters are {counts}, not {wanted}: {answer['errors'][:3]}")
        codes = [error["code"] for error in answer["errors"]]
        if len(codes) == len(self.dead) and not all(
                code in as_tuple(expected) for code, (expected, _) in zip(codes, self.dead)):
            problems.append(f"reasons are {codes}, not {[expected for expected, _ in self.dead]}")
        return problems, responses[1:]


@dataclasses.dataclass(frozen=True)
class Dropped:
    """No answer; the connection is closed."""
    closes = True

    def check(self, responses):
        return [], responses


class OneOf:
    """Where the standards leave a choice."""

    def __init__(self, *choices):
        self.choices = choices


class InOrder:
    """Several answers, one after the other."""

    def __init__(self, *parts):
        self.parts = parts


def paths(want):
    """All lists of simple expectations that `want` allows."""
    if isinstance(want, OneOf):
        return [path for choice in want.choices for path in paths(choice)]
    if isinstance(want, InOrder):
        lists = [[]]
        for part in want.parts:
            lists = [head + tail for head in lists for tail in paths(part)]
        return lists
    return [[want]]


def path_problems(path, reaction, probed):
    problems, responses = [], reaction.responses
    for want in path:
        found, responses = want.check(responses)
        problems += found
    if reaction.end == "open":
        problems.append("the connection stays open")
    if reaction.rest:
        problems.append(f"bytes that are no answer: {reaction.rest[:80]!r}")
    if probed and not path[-1].closes:
        if not responses or responses[0].status != 200 or b'"live"' not in responses[0].body:
            problems.append(f"the request behind it is not answered: {responses[:1]}")
        responses = responses[1:]
    if responses:
        problems.append(f"{len(responses)} answers too many, the first: {responses[0]}")
    return problems


def judge(want, reaction, probed=True):
    """(problems, the expectations that were met); without problems the reaction is right."""
    tried = [(path_problems(path, reaction, probed), path) for path in paths(want)]
    return min(tried, key=lambda one: len(one[0]))


# --- Requests --------------------------------------------------------------------------------------------------

@dataclasses.dataclass(frozen=True)
class Case:
    id: str
    data: object  # bytes, or a function that gives an iterable of them
    want: object
    finish: str = "probe"
    head_only: bool = False


def head(method="POST", target=PATH, *lines, version="HTTP/1.1", host="Host: h"):
    """The head of a request, with one line for each text or bytes in `lines`."""
    first = f"{method} {target} {version}"
    raw = [line if isinstance(line, bytes) else line.encode() for line in (first, host, *lines) if line]
    return b"\r\n".join(raw) + b"\r\n\r\n"


def post(body, *lines, topic="web"):
    return head("POST", f"/v1/topics/{topic}/events", *lines, f"Content-Length: {len(body)}") + body


def get(target, *lines):
    return head("GET", target, *lines)


# --- A server and its books ------------------------------------------------------------------------------------

CONFIG = """
[log]
backend = "embedded"
tail_size = "4MiB"
segment_size = "128MiB"
[http]
body_size_max = "4MiB"
memory_max = "64MiB"
[ingest]
event_size_max = "64KiB"
memory_max = "32MiB"
[archive]
enabled = false
[[topic]]
name = "web"
partitions = 2
[[topic]]
name = "keyed"
partitions = 2
key = "/k"
timestamp = "/ts"
[[topic]]
name = "ids"
partitions = 2
id = "/id"
[[aggregate]]
name = "sums"
topic = "keyed"
window = "1h"
count = true
sum = ["/n"]
min = ["/n"]
max = ["/n"]
avg = ["/n"]
[[table]]
name = "latest"
topic = "keyed"
"""
TOPICS = ("web", "keyed", "ids")
MEMORY_GROWTH_MAX = 160 << 20  # of the limits above, and what allocators keep


def sanitized(binary):
    return b"__asan_init" in binary.read_bytes()


class Batch:
    """Cases against one server, which runs with CONFIG or with more topics."""

    def __init__(self, server, topics=TOPICS):
        self.server = server
        self.accepted = {topic: collections.Counter() for topic in topics}
        self.dead = {topic: collections.Counter() for topic in topics}
        self.reasons = collections.defaultdict(set)  # (topic, original bytes) -> codes
        self.good_count = 0
        self.send_good()
        self.memory_before = server.metric("penstock_process_resident_memory_bytes")

    def send_good(self):
        event = json.dumps({"good": self.good_count}).encode()
        self.good_count += 1
        answer = self.server.accept_events("web", event)
        assert answer["accepted"] == 1, answer
        self.accepted["web"][event] += 1

    def play(self, case):
        data = case.data if isinstance(case.data, bytes) else case.data()
        reaction = exchange(self.server.port, data, case.finish, head_only=case.head_only)
        problems, path = judge(case.want, reaction, case.finish == "probe")
        self.check_alive()
        assert not problems, f"{case.id}: {problems}"
        for want in path:
            if isinstance(want, Taken):
                self.note(want)
        self.send_good()

    def note(self, taken):
        self.accepted[taken.topic].update(taken.events)
        for codes, raw in taken.dead:
            self.dead[taken.topic][raw] += 1
            self.reasons[taken.topic, raw].update(as_tuple(codes))

    def check_alive(self):
        code = self.server.process.poll()
        assert code is None, f"the server has ended with {code}:\n{self.server.log_tail()}"

    # --- Afterwards

    def log_problems(self):
        """Differences between the log and the books."""
        problems = []
        for topic, expected in self.accepted.items():
            records = self.records(topic)
            problems += differences(topic, expected, collections.Counter(raw for raw, _ in records))
            letters = self.records(f"{topic}.dlq")
            problems += differences(f"{topic}.dlq", self.dead[topic], collections.Counter(raw for raw, _ in letters))
            problems += [f"{topic}.dlq: the reason of {raw[:100]!r} is {headers}" for raw, headers in letters
                         if headers.get("penstock.dlq.code") not in self.reasons[topic, raw]]
            counted = self.server.metric("penstock_dead_letters_total", topic=topic) or 0
            if counted != len(letters):
                problems.append(f"{topic}: {counted} dead letters are counted, there are {len(letters)}")
        return problems

    def records(self, topic):
        """(value, headers) of all records in a topic's log."""
        records, position = [], ""
        while True:
            status, headers, body = self.server.request(
                "GET", f"/v1/topics/{topic}/events?limit=10000&value=base64{position}")
            assert status == 200, body
            if not body:
                return records
            lines = [json.loads(line) for line in body.splitlines()]
            records += [(base64.b64decode(line["value"]["base64"]), line["headers"]) for line in lines]
            position = f"&offset={headers['Penstock-Next-Offset']}"

    def resource_problems(self, seconds=10):
        """What is still held once every client has gone."""
        deadline = time.monotonic() + seconds
        while True:
            held = [f"{name} is {value}, more than {most}" for name, value, most in (
                ("connections", self.server.metric("penstock_http_connections"), 1),
                ("HTTP memory", self.server.metric("penstock_http_memory_bytes"), 64 << 10),
                ("ingest memory", self.server.metric("penstock_ingest_memory_bytes"), 0)) if value > most]
            if not held or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        growth = self.server.metric("penstock_process_resident_memory_bytes") - self.memory_before
        most = MEMORY_GROWTH_MAX * (3 if sanitized(self.server.binary) else 1)
        if growth > most:
            held.append(f"memory has grown by {growth / 2**20:.0f} MiB, more than {most >> 20}")
        return held

    def audit(self):
        """Ends the batch: everything that must hold, then a graceful stop, which fails on a leak under ASan."""
        self.check_alive()
        self.send_good()
        problems = self.resource_problems() + self.log_problems()
        for store in ("sums", "latest"):
            if "keyed" in self.accepted:
                self.server.wait_until_counted(store, "keyed")
                list(self.server.entries(store))
        assert not problems, problems
        self.server.stop(60)
        log = self.server.log_file.read_text(errors="replace")
        assert "Sanitizer" not in log and "runtime error" not in log, self.server.log_tail()


def differences(name, expected, found):
    problems = []
    for raw, count in ((expected - found)).items():
        problems.append(f"{name}: {count} of {raw[:100]!r} lost")
    for raw, count in ((found - expected)).items():
        problems.append(f"{name}: {count} of {raw[:100]!r} too many")
    return problems[:20]
