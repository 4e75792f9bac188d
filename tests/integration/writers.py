"""Load that keeps books: threads that send numbered events and note in a Ledger what became of them."""
import http.client
import json
import random
import threading
import time
import uuid

# How a request whose fate is unknown is sent again.
BY_EVENT_ID = "event id"        # the topic deduplicates by /id
BY_IDEMPOTENCY_KEY = "key"      # with the same Idempotency-Key
NEVER = "never"


class Writer(threading.Thread):
    """Sends to one topic, one request at a time, over one connection, until stopped."""

    def __init__(self, server, ledger, topic, name, resend, seed, events_max=60, pause_s=0.002):
        super().__init__(name=f"{topic}-{name}", daemon=True)
        self.server, self.ledger, self.topic, self.writer, self.resend = server, ledger, topic, name, resend
        self.random = random.Random(f"{seed}-{topic}-{name}")
        self.events_max, self.pause_s = events_max, pause_s
        self.next_number = 0
        self.connection = None
        self.stopping = threading.Event()
        self.problem = None
        self.refusals = 0

    def body(self, first, last):
        lines = []
        for number in range(first, last + 1):
            event = {"w": self.writer, "n": number, "user": f"u{number % 37}", "amount": number % 101,
                     "id": f"{self.topic}-{self.writer}-{number}"}
            lines.append(json.dumps(event, separators=(",", ":")))
        return "\n".join(lines).encode()

    def post(self, body, headers):
        """(status, answer), or None if the connection broke."""
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
            self.connection.request("POST", f"/v1/topics/{self.topic}/events", body, headers)
            response = self.connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError):
            self.connection = None
            return None

    def send_range(self, first, last):
        headers = {"Idempotency-Key": str(uuid.UUID(int=self.random.getrandbits(128)))} \
            if self.resend == BY_IDEMPOTENCY_KEY else {}
        request = self.ledger.sending(self.topic, self.writer, first, last)
        body = self.body(first, last)
        was_unknown = False
        while not self.stopping.is_set() or was_unknown:
            answer = self.post(body, headers)
            if answer is None:
                was_unknown = True
                if self.resend == NEVER:
                    return
                time.sleep(0.02)
                continue
            status, counts = answer
            if status == 200:
                self.check(counts, last - first + 1, was_unknown)
                self.ledger.acknowledged(request)
                return
            if status in (429, 503):  # nothing was taken by this one
                self.refusals += 1
                if not was_unknown and self.stopping.is_set():
                    self.ledger.refused(request)
                    return
                time.sleep(0.05)
                continue
            raise AssertionError(f"status {status}: {counts}")
        self.ledger.refused(request)  # not sent at all

    def check(self, counts, events, was_sent_before):
        taken = counts["accepted"] + counts["duplicates"]
        if taken != events or counts["dead_lettered"] or (counts["duplicates"] and not was_sent_before):
            raise AssertionError(f"{events} events were answered with {counts}")

    def run(self):
        try:
            while not self.stopping.is_set():
                first = self.next_number
                self.next_number += self.random.randrange(1, self.events_max)
                self.send_range(first, self.next_number - 1)
                time.sleep(self.random.random() * self.pause_s)
        except Exception as problem:  # shown by the test that owns this writer
            self.problem = f"{self.name}: {problem!r}"


def start(writers):
    for writer in writers:
        writer.start()


def stop(writers):
    """Call it while a server runs, so that what is unknown can be sent again."""
    for writer in writers:
        writer.stopping.set()
    for writer in writers:
        writer.join(timeout=60)
        assert not writer.is_alive(), f"{writer.name} does not end"
    problems = [writer.problem for writer in writers if writer.problem]
    assert not problems, problems


def events_in_log(server, topic):
    """{partition: [event]} in the order of offsets; checks that offsets have no gaps."""
    log = {}
    for line in server.event_lines(topic):
        record = json.loads(line)
        events = log.setdefault(record["partition"], [])
        assert record["offset"] == len(events), f"{topic}-{record['partition']}: gap before {record['offset']}"
        events.append(record["value"])
    return log


def numbers(log):
    return {partition: [(event["w"], event["n"]) for event in events] for partition, events in log.items()}
