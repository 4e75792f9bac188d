"""Consume, process, produce under fire, as Kafka tests its own transactions: brokers, gateway and stream processes
are killed and frozen under load, and in the end every aggregate is what the events of the log say. A reader beside
them sees committed results only, and never one that goes back.

What the same checks find without exactly once is shown in simulation (tests/simulation/engine_test.cc)."""
import collections
import json
import os
import random
import threading
import time
import uuid

import confluent_kafka
import pytest

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
    """Reads the results as they are committed and notes those that go back or are there twice in a row."""

    def __init__(self, cluster, topic):
        super().__init__(daemon=True)
        self.cluster, self.topic = cluster, topic
        self.seen, self.problems, self.records = {}, [], 0
        self.stopping = threading.Event()

    def take(self, record):
        update = json.loads(record.value())
        key = json.dumps([update["key"], update["window_start"]])
        self.records += 1
        if update["count"] < self.seen.get(key, 0):
            self.problems.append(f"{key} goes from {self.seen[key]} back to {update['count']}")
        self.seen[key] = update["count"]

    def run(self):
        consumer = confluent_kafka.Consumer({
            **self.cluster.client_settings, "group.id": str(uuid.uuid4()), "enable.auto.commit": False,
            "isolation.level": "read_committed", "auto.offset.reset": "earliest"})
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
    """One entry of a store; empty while, or because, this member has no partition of it."""
    status, text = server.get(f"/v1/stores/{store}?limit=1")
    assert status in (200, 429), text
    return json.loads(text) if status == 200 else {}


class Fire:
    """The processes, and what is done to them."""

    def __init__(self, penstock_bin, cluster, prefix, work, seed):
        self.cluster, self.prefix, self.random = cluster, prefix, random.Random(seed)
        config = kafka_log.config(cluster, prefix, REST)
        start = lambda command, name: Penstock(penstock_bin, config, work / name, work, command=command)
        self.gateway = start("gateway", "gateway")
        self.streams = [start("streams", "streams-1"), start("streams", "streams-2")]
        self.ledger = Ledger()
        self.load = [writers.Writer(self.gateway, self.ledger, "by_id", name, writers.BY_EVENT_ID, seed,
                                    events_max=200, pause_s=0.03) for name in range(6)]

    def pause(self, least=0.5, most=2.0):
        time.sleep(self.random.uniform(least, most))

    def kill_and_restart(self, server):
        server.kill()
        self.pause(0.1, 1.0)
        server.start(90)
        self.pause()

    def freeze(self, server, seconds):
        """A zombie: it wakes up when its partitions are another's. It may end then, or join again."""
        server.process.send_signal(19)
        time.sleep(seconds)
        server.process.send_signal(18)
        self.pause(3, 4)
        if server.process.poll() is not None:
            server.start(90)

    def broker_dies(self, number):
        self.cluster.kill(number)
        self.pause(2, 3)
        self.cluster.start(number)
        self.pause()

    def wait_until_counted(self, seconds=120):
        """Until the stores have everything that is in the log."""
        deadline = time.monotonic() + seconds
        ends = {number: found[-1].offset() + 1 for number, found in
                kafka_log.records(self.cluster, f"{self.prefix}.by_id").items() if found}
        for store in AGGREGATES:
            while True:
                done = collections.Counter()
                for server in self.streams:
                    for number, offset in answer(server, store).get("complete_to", {}).get("by_id", {}).items():
                        done[int(number)] = max(done[int(number)], offset)
                if all(done[number] >= end for number, end in ends.items()):
                    break
                assert time.monotonic() < deadline, f"{store} is at {dict(done)}, the log at {ends}"
                time.sleep(0.2)

    def entries(self, store):
        """{key: (count, sum)} of both members; fails if both have one."""
        found = {}
        for server in self.streams:
            mine = collections.Counter()
            for entry in server.entries(store) if answer(server, store) else []:
                mine[tuple(entry["key"]), "count"] += entry["count"]
                mine[tuple(entry["key"]), "sum"] += entry["sum"][AGGREGATES[store][2]]
            assert not found.keys() & mine.keys(), f"{store}: keys of both members"
            found.update(mine)
        return found

    def burn(self, full):
        self.gateway.start(60)
        for server in self.streams[:1]:
            server.start(60)
        writers.start(self.load)
        self.pause(2, 3)
        for number in (1, 2, 3):
            self.broker_dies(number)
            self.kill_and_restart(self.streams[0])
        self.streams[1].start(60)
        self.pause(2, 3)
        self.kill_and_restart(self.gateway)
        self.freeze(self.streams[0], 14)
        for _ in range(10 if full else 0):
            self.kill_and_restart(self.random.choice([*self.streams, self.gateway]))
        writers.stop(self.load)
        self.wait_until_counted()

    def kill(self):
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


@pytest.fixture(scope="module")
def run(penstock_bin, shared_kafka_cluster, full_run, tmp_path_factory):
    work = tmp_path_factory.mktemp("fire")
    fire = Fire(penstock_bin, shared_kafka_cluster, "fire", work, seed())
    watcher = Watcher(shared_kafka_cluster, "fire.amounts")
    try:
        watcher.start()
        fire.burn(full_run)
        log = read_log(shared_kafka_cluster, "fire.by_id")
        result = {"ledger": fire.ledger, "log": log, "expected": expected(log),
                  "entries": {store: fire.entries(store) for store in AGGREGATES}}
        for server in [fire.gateway, *fire.streams]:
            server.stop(30)
        result["results"] = kafka_log.records(shared_kafka_cluster, "fire.amounts")
        watcher.stopping.set()
        watcher.join(30)
        result["watcher"] = watcher
        yield result
    finally:
        watcher.stopping.set()
        fire.kill()
        shared_kafka_cluster.restore()


def test_enough_was_at_stake(run):
    events = sum(len(found) for found in run["log"].values())
    print(f"{events} events; requests: {dict(run['ledger'].counts())}; results: {run['watcher'].records}")

    assert events >= 100_000


def test_nothing_acknowledged_is_lost_and_nothing_is_there_twice(run):
    log = {partition: [(event["w"], event["n"]) for event in events] for partition, events in run["log"].items()}

    assert audit(run["ledger"].requests, "by_id", log, whole=False) == []
    assert run["ledger"].counts().keys() == {"acknowledged"}


@pytest.mark.parametrize("store", AGGREGATES)
def test_aggregates_are_those_of_the_log(run, store):
    assert run["entries"][store] == run["expected"][store]


def test_the_last_result_of_each_key_is_its_aggregate(run):
    last = {}
    for found in run["results"].values():
        for record in found:
            update = json.loads(record.value())
            last[update["window_start"], update["key"][0]] = update
    totals = collections.Counter()
    for (_, user), update in last.items():
        totals[(user,), "count"] += update["count"]
        totals[(user,), "sum"] += update["sum"]["/amount"]

    assert totals == run["expected"]["amounts"]


def test_committed_results_never_go_back(run):
    assert run["watcher"].problems == []
    assert run["watcher"].records > 100
