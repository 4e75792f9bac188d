"""The books of a load driver, kept outside of the server, and the audit that compares them with its log.

An event is {"w": writer, "n": number, ...}: each writer numbers its events from 0 without gaps and sends
one request after the other, each with a range of numbers. A request is acknowledged (200), or its fate is
unknown (the connection broke): then it is sent again where the server can tell it is the same (by event
ids or an Idempotency-Key), until it is acknowledged; elsewhere it is left alone, and may be there whole
or not at all."""
import collections
import threading
import time


class Ledger:
    """What was sent and what became of it. Threads: any."""

    def __init__(self):
        self.lock = threading.Lock()
        self.requests = []  # of [topic, writer, first, last, state]
        self.acknowledged_at = []  # time.monotonic()

    def sending(self, topic, writer, first, last):
        """Notes a request before it is sent; returns its number."""
        with self.lock:
            self.requests.append([topic, writer, first, last, "unknown"])
            return len(self.requests) - 1

    def acknowledged(self, request):
        with self.lock:
            self.requests[request][4] = "acknowledged"
            self.acknowledged_at.append(time.monotonic())

    def refused(self, request):
        """The server said that it took nothing."""
        with self.lock:
            self.requests[request][4] = "refused"

    def counts(self):
        with self.lock:
            return collections.Counter(state for *_, state in self.requests)


def audit(requests, topic, log, whole=True):
    """Problems of `log`, {partition: [(writer, number)] in the order of offsets}, against the ledger.
    An empty list means: every acknowledged event is there once, no event is there twice or was never
    sent, unknown requests are there whole or not at all (if `whole`: Kafka takes each batch for itself), and
    each writer's events are in order."""
    problems = []
    found = collections.Counter(event for events in log.values() for event in events)
    problems += [f"{topic}: event {event} is there {count} times"
                 for event, count in found.items() if count > 1]
    known = set()
    for request_topic, writer, first, last, state in requests:
        if request_topic != topic:
            continue
        events = [(writer, number) for number in range(first, last + 1)]
        known.update(events)
        there = sum(event in found for event in events)
        if state == "acknowledged" and there < len(events):
            problems.append(f"{topic}: {len(events) - there} events of the acknowledged request "
                            f"{writer}:{first}-{last} are lost")
        if whole and state == "unknown" and 0 < there < len(events):
            problems.append(f"{topic}: request {writer}:{first}-{last} is there in part: "
                            f"{there} of {len(events)} events")
        if state == "refused" and there > 0:
            problems.append(f"{topic}: {there} events of the refused request {writer}:{first}-{last} "
                            "are there")
    problems += [f"{topic}: event {event} was never sent" for event in found if event not in known]
    for partition, events in log.items():
        highest = {}
        for writer, number in events:
            if number <= highest.get(writer, -1):
                problems.append(f"{topic}-{partition}: event ({writer}, {number}) is behind "
                                f"number {highest[writer]} of its writer")
            highest[writer] = max(number, highest.get(writer, -1))
    return problems
