"""A network that breaks, between Penstock and real brokers: connections cut around the end of transactions, latency,
silence. Nothing is lost and nothing counts twice. Without exactly once the same checks must find that it does."""
import json
import statistics
import time

import pytest

import kafka_fire
import kafka_log
import kafka_proxy
from kafka_fire_checks import (test_aggregates_are_those_of_the_log,  # noqa: F401
                               test_committed_results_never_go_back,
                               test_nothing_acknowledged_is_lost_and_nothing_is_there_twice,
                               test_the_last_result_of_each_key_is_its_aggregate)

BREAKER = """
[circuit_breaker]
sliding_window_size = 4
minimum_number_of_calls = 2
wait_duration_in_open_state = "500ms"
permitted_number_of_calls_in_half_open_state = 2
"""
CUTS, SILENCE_S, LATENCY_S, SPILLED = 100, 30, 0.1, 20


def wait_for(condition, what, server, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}:\n{server.log_tail()}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def network():
    seed = kafka_fire.seed()
    with kafka_proxy.proxied_cluster(seed) as (cluster, proxy):
        yield cluster, proxy, seed


def probe(load, result):
    """Sends one event to a topic of its own; returns how long its answer took."""
    begun = time.monotonic()
    load.gateway.accept_events("probe", f'{{"n":{result["probes"]}}}')
    result["probes"] += 1
    return time.monotonic() - begun


def break_end_txn(load, proxy):
    proxy.break_end_txn(before=0.05, after=0.1, late=0.1)
    wait_for(lambda: min(proxy.broken["after"], proxy.broken["late"]) >= CUTS // 2, "too few transactions",
             load.streams[0], 300)
    proxy.break_end_txn()


def add_latency(load, proxy, result):
    """Half of it on each way."""
    proxy.latency_s = LATENCY_S / 2
    result["latencies"] = [probe(load, result) for _ in range(30)]
    result["breaker_with_latency"] = load.gateway.metric("penstock_spill_active")
    proxy.latency_s = 0.0


def be_silent(load, proxy, result):
    """Events that were under way are answered when Kafka is back; new ones go into the spill."""
    proxy.silence()
    begun = time.monotonic()
    wait_for(lambda: load.gateway.metric("penstock_circuit_breaker_state", state="open") == 1,
             "the breaker stays closed", load.gateway)
    result["breaker_opened_after"] = time.monotonic() - begun
    while time.monotonic() - begun < SILENCE_S or load.gateway.metric("penstock_spill_appends_total") < SPILLED:
        probe(load, result)
    result["spilled"] = load.gateway.metric("penstock_spill_appends_total")
    proxy.speak()
    wait_for(lambda: load.gateway.metric("penstock_spill_active") == 0, "the spill is not shipped", load.gateway)
    result["shipped"] = load.gateway.metric("penstock_spill_shipped_batches_total")


@pytest.fixture(scope="module")
def run(penstock_bin, network, tmp_path_factory):
    cluster, proxy, seed = network
    rest = kafka_fire.REST + BREAKER + '\n[[topic]]\nname = "probe"\npartitions = 1\n'
    load = kafka_fire.Load(penstock_bin, cluster, "network", tmp_path_factory.mktemp("network"), seed, rest,
                           proxy.bootstrap_servers)
    result = {"probes": 0}
    try:
        load.start()
        break_end_txn(load, proxy)
        add_latency(load, proxy, result)
        be_silent(load, proxy, result)
        result["broken"] = dict(proxy.broken)
        print(f"{result}, {dict(proxy.requests)}")
        result.update(load.finish())
        result["probes_in_log"] = [json.loads(record.value())["n"] for found in
                                   kafka_log.records(cluster, "network.probe").values() for record in found]
        yield result
    finally:
        load.kill()


def test_transactions_were_cut_often_enough(run):
    assert run["broken"]["after"] + run["broken"]["late"] >= CUTS
    assert run["broken"]["late"] >= CUTS // 2


def test_latency_is_waited_for_and_opens_no_breaker(run):
    assert statistics.median(run["latencies"]) >= LATENCY_S
    assert run["breaker_with_latency"] == 0


def test_silence_opens_the_breaker_and_events_go_through_the_spill(run):
    assert run["breaker_opened_after"] < SILENCE_S / 2
    assert run["spilled"] >= SPILLED
    assert run["shipped"] > 0


def test_every_probe_is_in_the_log_once(run):
    assert sorted(run["probes_in_log"]) == list(range(run["probes"]))


def test_without_exactly_once_the_same_checks_find_events_that_count_twice(penstock_bin, network, tmp_path):
    """The results are in the log when the offsets are on their way, and then the process dies."""
    cluster, proxy, seed = network
    rest = kafka_fire.REST + '\n[engine]\nprocessing_guarantee = "at_least_once"\n'
    load = kafka_fire.Load(penstock_bin, cluster, "at-least-once", tmp_path, seed, rest, proxy.bootstrap_servers)
    try:
        load.start()
        wait_for(lambda: load.watcher.records > 100, "there are no results", load.streams[0])
        proxy.hold(kafka_proxy.OFFSET_COMMIT)
        wait_for(lambda: proxy.held_count > 0, "no offsets are committed", load.streams[0])
        load.streams[0].kill()
        proxy.release()
        load.streams[0].start(60)
        result = load.finish()
    finally:
        proxy.release()
        load.kill()

    assert kafka_fire.lost_or_doubled(result) == []  # the gateway is not concerned
    for store in kafka_fire.AGGREGATES:
        wrong = {key: (counted, result["expected"][store][key]) for key, counted in result["entries"][store].items()
                 if key[1] == "count" and counted != result["expected"][store][key]}
        print(f"{store}: {len(wrong)} wrong counts")
        if wrong:
            assert all(counted > right for counted, right in wrong.values())
            return
    pytest.fail("nothing counted twice: these tests could not have failed")
