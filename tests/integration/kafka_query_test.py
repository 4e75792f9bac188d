"""Store queries while brokers do not answer: from the committed state, or refused within seconds. Never is one left
waiting for as long as the stream thread waits."""
import json
import time

import pytest

import kafka_log
import kafka_proxy
from waiting import wait_until

QUERY_S = 5  # ConsoleOptions::query_time_max
REST = """
[[topic]]
name = "web"
partitions = 2

[[aggregate]]
name = "all"
topic = "web"
group_by = ["/page"]
window = "30d"
count = true
"""


@pytest.fixture(scope="module")
def proxied():
    with kafka_proxy.proxied_cluster(seed=1) as (cluster, proxy):
        yield cluster, proxy


def send(server, count):
    server.accept_events("web", "\n".join(json.dumps({"page": f"p{i % 7}"}) for i in range(count)))


def ask(server):
    """(status, what was counted or the error's code, seconds that it took, Retry-After)"""
    begun = time.monotonic()
    status, headers, body = server.request("GET", "/v1/stores/all?limit=100")
    took, answer = time.monotonic() - begun, json.loads(body)
    found = sum(entry["count"] for entry in answer["entries"]) if status == 200 else answer["code"]
    return status, found, took, headers.get("Retry-After")


def wait_until_counted(server, count):
    wait_until(lambda: ask(server)[:2] == (200, count), server, 90)


def is_committing(server):
    """Whether a transaction has begun that has not ended, by one page of metrics."""
    records = {stage: 0 for stage in ("begun", "committed", "taken_back")}
    for (name, labels), value in server.metrics().items():
        if name == "penstock_engine_transaction_records_total":
            records[dict(labels)["stage"]] += value
    return records["begun"] != records["committed"] + records["taken_back"]


def ask_without_brokers(server, cluster):
    """Ten answers while no broker runs, or None if that met a commit: after the last count there is one more, of how
    far time has come."""
    for node in cluster.brokers:
        cluster.pause(node.node_id)
    try:
        answers = []
        while len(answers) < 10 and not is_committing(server):
            answers.append(ask(server))
        return None if is_committing(server) else answers
    finally:
        cluster.restore()


def test_while_nothing_is_under_way_queries_are_answered_without_brokers(start_penstock, proxied):
    cluster, proxy = proxied
    server = start_penstock(kafka_log.config(cluster, "idle", REST, servers=proxy.bootstrap_servers))
    send(server, 100)
    answers, attempts = None, 0
    while answers is None and attempts < 10:
        wait_until_counted(server, 100)
        wait_until(lambda: not is_committing(server), server, 90)
        answers, attempts = ask_without_brokers(server, cluster), attempts + 1
    send(server, 1)

    assert [answer[:2] for answer in answers] == [(200, 100)] * 10
    assert max(took for _, _, took, _ in answers) < QUERY_S
    wait_until_counted(server, 101)


def test_while_a_commit_has_no_answer_queries_are_refused_in_time(start_penstock, proxied):
    cluster, proxy = proxied
    server = start_penstock(kafka_log.config(cluster, "held", REST, servers=proxy.bootstrap_servers))
    send(server, 100)
    wait_until_counted(server, 100)

    proxy.hold(kafka_proxy.END_TXN)
    try:
        send(server, 1)
        wait_until(lambda: proxy.held_count > 0, server)
        status, code, took, retry_after = ask(server)
    finally:
        proxy.release()

    assert (status, code, retry_after) == (503, "unavailable", "1")
    assert QUERY_S - 0.1 < took < QUERY_S + 3
    wait_until_counted(server, 101)
