"""While Kafka is away, the gateway takes events into its spill, and ships them when Kafka is back: nothing that
was acknowledged is lost or there twice, also if the gateway is killed meanwhile."""
import os
import random
import time

import pytest

import kafka_log
import writers
from ledger import Ledger, audit
from penstock_process import Penstock

REST = """
[circuit_breaker]
sliding_window_size = 10
minimum_number_of_calls = 5
timeout_duration = "300ms"
wait_duration_in_open_state = "500ms"
permitted_number_of_calls_in_half_open_state = 2

[[topic]]
name = "by_id"
partitions = 3
key = "/user"
id = "/id"

[[topic]]
name = "plain"
partitions = 2
key = "/w"
"""

RESEND = {"by_id": writers.BY_EVENT_ID, "plain": writers.NEVER}


def wait_for(condition, what, server, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}:\n{server.log_tail()}"
        time.sleep(0.05)


def away(cluster, how):
    for number in (1, 2, 3):
        (cluster.pause if how == "pause" else cluster.kill)(number)


def back(cluster, how):
    for number in (1, 2, 3):
        if how == "pause":
            cluster.resume(number)
        else:
            cluster.start(number, wait_seconds=0)
    cluster.wait_registered()


@pytest.fixture(scope="module")
def run(penstock_bin, shared_kafka_cluster, tmp_path_factory):
    """Outages of all brokers, the gateway killed in every second one; then what Kafka has."""
    seed = os.environ.get("PENSTOCK_SEED", str(random.randrange(10**6)))
    print(f"\nPENSTOCK_SEED={seed}")
    work = tmp_path_factory.mktemp("spill")
    prefix = "spill"
    server = Penstock(penstock_bin, kafka_log.config(shared_kafka_cluster, prefix, REST), work / "data", work,
                      command="gateway")
    ledger = Ledger()
    load = [writers.Writer(server, ledger, topic, f"{name}", resend, seed, pause_s=0.02)
            for topic, resend in RESEND.items() for name in range(8)]
    result = {"ledger": ledger, "spilled": 0, "shipped": 0, "cycles": []}
    try:
        server.start(60)
        writers.start(load)
        for cycle, (how, kills) in enumerate([("pause", False), ("kill", True), ("pause", True)]):
            time.sleep(1)
            away(shared_kafka_cluster, how)
            wait_for(lambda: server.metric("penstock_spill_active") == 1, "the breaker stays closed", server)
            wait_for(lambda: server.metric("penstock_spill_appends_total") >= 20, "nothing is spilled", server)
            spilled = server.metric("penstock_spill_appends_total")
            result["cycles"].append(spilled)
            if kills:
                server.kill()
            back(shared_kafka_cluster, how)
            if kills:
                server.start(60)
            else:
                wait_for(lambda: server.metric("penstock_spill_active") == 0, "the spill is not shipped", server)
                result["shipped"] = server.metric("penstock_spill_shipped_batches_total")
        writers.stop(load)
        wait_for(lambda: server.metric("penstock_spill_active") == 0, "the spill is not shipped", server)
        server.stop(30)
        result["logs"] = {topic: kafka_log.numbers(shared_kafka_cluster, f"{prefix}.{topic}") for topic in RESEND}
        result["generations"] = sorted(p.name for p in (work / "data" / "spill").iterdir())
        yield result
    finally:
        server.kill()
        shared_kafka_cluster.restore()


@pytest.mark.parametrize("topic", RESEND)
def test_nothing_acknowledged_is_lost_and_nothing_is_there_twice(run, topic):
    assert audit(run["ledger"].requests, topic, run["logs"][topic], whole=False) == []


def test_events_were_spilled_in_every_outage(run):
    assert min(run["cycles"]) >= 20
    assert run["shipped"] > 0


def test_what_was_shipped_leaves_the_disk(run):
    generations = [name for name in run["generations"] if name.isdigit()]

    assert len(generations) <= 2
    assert not [name for name in run["generations"] if name.endswith(".removed")]


def test_the_audit_of_this_run_can_fail(run):
    log = {partition: list(events) for partition, events in run["logs"]["plain"].items()}
    events = next(events for events in log.values() if len(events) > 10)
    events.append(events[3])

    assert any("2 times" in problem for problem in audit(run["ledger"].requests, "plain", log, whole=False))
