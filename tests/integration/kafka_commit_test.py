"""A commit ends within its time, whatever becomes of the requests that it consists of, and what it then says is true:
what was not committed is not in the log, and the next transaction of the same id is."""
import collections
import queue
import subprocess
import threading
import time

import confluent_kafka
import pytest
from confluent_kafka import admin

import kafka_log
import kafka_proxy

PARTITIONS = 3


class Transactor:
    """tests/kafka/transactor.cc: a transaction for each line."""

    def __init__(self, penstock_bin, servers, topic, timeout_s, program="kafka_transactor"):
        path = penstock_bin.parent / program
        if not path.exists():
            pytest.fail(f"{path} is not there: build the target `tests`", pytrace=False)
        self.process = subprocess.Popen([path, servers, topic, str(PARTITIONS), str(int(timeout_s * 1000))], text=True,
                                        bufsize=1, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.split())
        self.lines.put(None)

    def commit(self, text, seconds=120):
        """(how the transaction ended, seconds that it took)"""
        self.process.stdin.write(text + "\n")
        answer = self.lines.get(timeout=seconds)
        assert answer is not None, "the transactor ended"
        return answer[0], int(answer[1]) / 1000

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def values(cluster, topic):
    """How often each line is in the log, committed."""
    return collections.Counter(record.value().decode() for found in kafka_log.records(cluster, topic).values()
                               for record in found)


@pytest.fixture(scope="module")
def proxied():
    with kafka_proxy.proxied_cluster(seed=1) as (cluster, proxy):
        yield cluster, proxy


@pytest.mark.parametrize("held", ["requests", "answers"])
@pytest.mark.parametrize("kind", ["ADD_OFFSETS_TO_TXN", "TXN_OFFSET_COMMIT", "END_TXN"])
def test_a_commit_without_answers_ends_in_time(penstock_bin, proxied, kind, held):
    cluster, proxy = proxied
    topic, timeout_s = f"held-{kind}-{held}", 4
    with Transactor(penstock_bin, proxy.bootstrap_servers, topic, timeout_s) as transactor:
        before = transactor.commit("before")
        proxy.hold(getattr(kafka_proxy, kind), answers=held == "answers")
        try:
            ending, seconds = transactor.commit("held")
            assert proxy.held_count > 0
        finally:
            proxy.release()
        after = transactor.commit("after")

    print(f"{kind}, {held}: {before}, {ending} after {seconds} s, {after}")
    assert before[0] == after[0] == "committed"
    assert before[1] < timeout_s, "commits take that long anyhow: nothing was shown"
    assert ending == "fenced"
    assert timeout_s - 0.1 <= seconds <= 1.5 * timeout_s + 1
    happened = kind == "END_TXN" and held == "answers"
    assert values(cluster, topic) == {"before": PARTITIONS, "after": PARTITIONS,
                                      **({"held": PARTITIONS} if happened else {})}


def coordinator_of(cluster, group):
    """Number of the broker that has the group's offsets."""
    client = admin.AdminClient(cluster.client_settings)
    return client.describe_consumer_groups([group])[group].result(30).coordinator.id


def test_a_group_whose_coordinator_has_left_the_cluster_is_found_again(penstock_bin, kafka_cluster):
    """When the offsets' turn comes, what librdkafka remembers as their coordinator is no broker any more."""
    with Transactor(penstock_bin, kafka_cluster.bootstrap_servers, "lost-coordinator", 30) as transactor:
        assert transactor.commit("before")[0] == "committed"
        kafka_cluster.kill(coordinator_of(kafka_cluster, "transactor"))

        # Records come first: they wait until all partitions have leaders again.
        endings = [transactor.commit(f"without {i}") for i in range(3)]

    print(f"commits without the coordinator of before: {endings}")
    assert [ending for ending, _ in endings] == ["committed"] * 3
    assert values(kafka_cluster, "lost-coordinator") == {
        line: PARTITIONS for line in ("before", "without 0", "without 1", "without 2")}


@pytest.mark.slow
def test_without_our_repair_of_librdkafka_such_a_commit_does_not_end(penstock_bin, kafka_cluster, full_run):
    if not full_run:
        pytest.skip("waits for a minute in vain: PENSTOCK_TEST_FULL=1")
    with Transactor(penstock_bin, kafka_cluster.bootstrap_servers, "unrepaired", 20,
                    "kafka_transactor_unrepaired") as transactor:
        assert transactor.commit("before")[0] == "committed"
        kafka_cluster.kill(coordinator_of(kafka_cluster, "transactor"))

        with pytest.raises(queue.Empty):
            transactor.commit("without", seconds=60)
