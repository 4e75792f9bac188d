"""Stream processes come and go: what stays with a process keeps its state, what moves is restored, and each answers
for what it has."""
import json
import time

import pytest

import kafka_log
from penstock_process import Penstock

PARTITIONS, USERS, EVENTS = 6, 300, 3_000
REST = f"""
[engine]
threads = 1

[[topic]]
name = "clicks"
partitions = {PARTITIONS}
key = "/user"

[[aggregate]]
name = "per_user"
topic = "clicks"
group_by = ["/user"]
window = "30d"
count = true
"""


def wait_for(condition, what, servers, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what + "".join(f"\n{server.log_tail()}" for server in servers)
        time.sleep(0.1)


def send(gateway):
    gateway.accept_events("clicks", "\n".join(json.dumps({"user": f"u{n % USERS}"}) for n in range(EVENTS)))


def part(server):
    """(partitions, of) that an answer is about; none while something is restored or moved."""
    status, text = server.get("/v1/stores/per_user?limit=1")
    assert status in (200, 429), text
    if status == 429:
        return None
    part = json.loads(text).get("part")
    return (part["partitions"], part["of"]) if part else (PARTITIONS, PARTITIONS)


def counts(servers):
    found = [(entry["key"][0], entry["count"]) for server in servers for entry in server.entries("per_user")]
    assert len(found) == len(dict(found)), "keys of two processes"
    return dict(found)


def counted(servers, times):
    def is_it():
        try:
            return counts(servers) == {f"u{n}": times * EVENTS // USERS for n in range(USERS)}
        except AssertionError:
            return False
    wait_for(is_it, f"not counted {times} times", servers)


@pytest.fixture
def start(penstock_bin, kafka_cluster, tmp_path):
    config = kafka_log.config(kafka_cluster, "rebalance", REST)
    started = []

    def start(name, command="streams"):
        server = Penstock(penstock_bin, config, tmp_path / name, tmp_path, command=command)
        started.append(server)
        server.start(60)
        return server
    start.cluster = kafka_cluster
    yield start
    for server in started:
        server.kill()


def test_only_what_moves_is_restored_and_each_process_answers_for_its_part(start):
    gateway, first = start("gateway", "gateway"), start("first")
    restored = lambda server: server.metric("penstock_engine_restored_records_total")
    send(gateway)
    counted([first], 1)
    assert restored(first) == 0
    assert part(first) == (PARTITIONS, PARTITIONS)

    second = start("second")
    wait_for(lambda: part(first) == part(second) == (PARTITIONS // 2, PARTITIONS), "not shared", [first, second])
    send(gateway)
    counted([first, second], 2)
    assert restored(first) == 0
    moved = restored(second)
    assert moved > 0

    second.kill()  # its session runs out, and the first one gets its partitions
    wait_for(lambda: part(first) == (PARTITIONS, PARTITIONS), "not given back", [first])
    send(gateway)
    counted([first], 3)
    everything = sum(len(found) for found in kafka_log.records(start.cluster, "rebalance.per_user-changelog").values())
    assert 0 < restored(first) < everything


def test_a_process_without_partitions_says_that_it_has_none(start):
    gateway = start("gateway", "gateway")
    send(gateway)
    servers = [start(f"streams-{number}") for number in range(PARTITIONS + 1)]

    wait_for(lambda: sorted(part(server) or (-1, 0) for server in servers)
             == [(0, PARTITIONS), *[(1, PARTITIONS)] * PARTITIONS], "not shared", servers, 120)

    assert sum(server.get_json("/v1/stores/per_user")["entries"] == [] for server in servers) == 1
