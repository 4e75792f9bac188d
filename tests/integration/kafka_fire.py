"""What the fire tests share: two jobs that count what the writers send, and checks of what must come out: every
aggregate is what the events of the log say. A reader beside them sees committed results only, and never one that
goes back."""
import collections
import json
import os
import random
import threading
import time
import uuid

import confluent_kafka

import kafka_log
import writers
from ledger import Ledger, audit
from penstock_process import Penstock

REST = """
[[topic]]
name = "by_id"
partitions = 4
key = "/user"
id = "/id"

[[aggregate]]
name = "amounts"          # grouped by the topic's key: one step
topic = "by_id"
group_by = ["/user"]
window = "30d"
count = true
sum = ["/amount"]
emit_interval = "100ms"

[[aggregate]]
name = "by_writer"        # grouped by something else: through a repartition topic
topic = "by_id"
group_by = ["/w", "/amount"]
window = "30d"
count = true
sum = ["/n"]
"""
AGGREGATES = {"amounts": (lambda event: (event["user"],), lambda event: event["amount"], "/amount"),
              "by_writer": (lambda event: (event["w"], event["amount"]), lambda event: event["n"], "/n")}


class Watcher(threading.Thread):
    """Reads the results as they are committed and notes those that go back.

    Its own position may go back when a partition changes its leader: what it reads again is left out."""

    def __init__(self, cluster, topic):
        super().__init__(daemon=True)
        self.cluster, self.topic = cluster, topic
        self.seen, self.problems, self.records = {}, [], 0
        self.seen_at = collections.defaultdict(list)  # of each partition, time.monotonic()
        self.next_offsets = {}
        self.stopping = threading.Event()

    def take(self, record):
        if record.offset() < self.next_offsets.get(record.partition(), 0):
            return
        self.next_offsets[record.partition()] = record.offset() + 1
        update = json.loads(record.value())
        key = json.dumps([update["key"], update["window_start"]])
        self.records += 1
        self.seen_at[record.partition()].append(time.monotonic())
        if update["count"] < self.seen.get(key, 0):
            self.problems.append(f"{key} goes from {self.seen[key]} back to {update['count']}")
        self.seen[key] = update["count"]

    def run(self):
        consumer = confluent_kafka.Consumer({
            **self.cluster.client_settings, "group.id": str(uuid.uuid4()), "enable.auto.commit": False,
            "isolation.level": "read_committed", "auto.offset.reset": "earliest",
            "log_level": 2})
        try:
            consumer.subscribe([self.topic])
            while not self.stopping.is_set():
                for record in consumer.consume(1000, 0.2):
                    if record.error() is None and record.value() is not None:
                        self.take(record)
        except Exception as problem:  # shown by the test
            self.problems.append(repr(problem))
        finally:
            consumer.close()


def answer(server, store):
    """One entry of the part of a store that this member has; empty while that is restored or moved (429), or while
    its thread waits for brokers (503)."""
    status, text = server.get(f"/v1/stores/{store}?limit=1", timeout=10)
    assert status in (200, 429, 503), text
    return json.loads(text) if status == 200 else {}


class Load:
    """A gateway, two stream processes and those who send; started by hand."""

    def __init__(self, penstock_bin, cluster, prefix, work, seed, rest=REST, servers=None):
        self.cluster, self.prefix, self.random = cluster, prefix, random.Random(seed)
        config = kafka_log.config(cluster, prefix, rest, servers=servers)
        start = lambda command, name: Penstock(penstock_bin, config, work / name, work, command=command)
        self.gateway = start("gateway", "gateway")
        self.streams = [start("streams", "streams-1"), start("streams", "streams-2")]
        self.ledger = Ledger()
        self.writers = [writers.Writer(self.gateway, self.ledger, "by_id", name, writers.BY_EVENT_ID, seed,
                                       events_max=200, pause_s=0.03) for name in range(6)]
        self.watcher = Watcher(cluster, f"{prefix}.amounts")

    def start(self):
        self.gateway.start(60)
        self.streams[0].start(60)
        self.watcher.start()
        writers.start(self.writers)

    def wait_until_counted(self, seconds=120):
        """Until the stores have everything that is in the log."""
        deadline = time.monotonic() + seconds
        ends = {number: found[-1].offset() + 1 for number, found in
                kafka_log.records(self.cluster, f"{self.prefix}.by_id").items() if found}
        for store in AGGREGATES:
            while True:
                done = collections.Counter()
                for server in self.running():
                    for number, offset in answer(server, store).get("complete_to", {}).get("by_id", {}).items():
                        done[int(number)] = max(done[int(number)], offset)
                if all(done[number] >= end for number, end in ends.items()):
                    break
                assert time.monotonic() < deadline, f"{store} is at {dict(done)}, the log at {ends}"
                time.sleep(0.2)

    def running(self):
        return [server for server in self.streams if server.process is not None and server.process.poll() is None]

    def entries(self, store):
        """{key: (count, sum)} of all members; fails if two have the same one."""
        found = {}
        for server in self.running():
            mine = collections.Counter()
            for entry in server.entries(store):
                mine[tuple(entry["key"]), "count"] += entry["count"]
                mine[tuple(entry["key"]), "sum"] += entry["sum"][AGGREGATES[store][2]]
            assert not found.keys() & mine.keys(), f"{store}: keys of both members"
            found.update(mine)
        return found

    def finish(self, seconds=120):
        """Stops the writers, waits until all is counted, stops everything; what must be compared then."""
        writers.stop(self.writers)
        self.wait_until_counted(seconds)
        log = read_log(self.cluster, f"{self.prefix}.by_id")
        result = {"ledger": self.ledger, "log": log, "expected": expected(log), "watcher": self.watcher,
                  "entries": {store: self.entries(store) for store in AGGREGATES}}
        for server in [self.gateway, *self.running()]:
            server.stop(30)
        result["results"] = kafka_log.records(self.cluster, f"{self.prefix}.amounts")
        self.watcher.stopping.set()
        self.watcher.join(30)
        return result

    def kill(self):
        self.watcher.stopping.set()
        for server in [self.gateway, *self.streams]:
            server.kill()


def expected(log):
    """{store: {(key, what): number}} of the events of the log."""
    found = {}
    for store, (key_of, number_of, _) in AGGREGATES.items():
        sums = found[store] = collections.Counter()
        for events in log.values():
            for event in events:
                sums[key_of(event), "count"] += 1
                sums[key_of(event), "sum"] += number_of(event)
    return found


def seed():
    value = os.environ.get("PENSTOCK_SEED", str(random.randrange(10**6)))
    print(f"\nPENSTOCK_SEED={value}")
    return value


def read_log(cluster, topic):
    return {partition: [json.loads(record.value()) for record in found]
            for partition, found in kafka_log.records(cluster, topic).items()}


def last_results(results):
    """{(key, what): number} of the last result of each key and window."""
    last = {}
    for found in results.values():
        for record in found:
            update = json.loads(record.value())
            last[update["window_start"], update["key"][0]] = update
    totals = collections.Counter()
    for (_, user), update in last.items():
        totals[(user,), "count"] += update["count"]
        totals[(user,), "sum"] += update["sum"]["/amount"]
    return totals


def lost_or_doubled(result):
    """Problems of the log against what was sent."""
    log = {partition: [(event["w"], event["n"]) for event in events] for partition, events in result["log"].items()}
    return audit(result["ledger"].requests, "by_id", log, whole=False)
