"""Consume, process, produce under fire, as Kafka tests its own transactions: brokers, gateway and stream processes
are killed and frozen under load, and in the end every aggregate is what the events of the log say. A reader beside
them sees committed results only, and never one that goes back.

What the same checks find without exactly once is shown by kafka_network_test.py."""
import time

import pytest

import kafka_fire
from kafka_fire_checks import (test_aggregates_are_those_of_the_log,  # noqa: F401
                               test_committed_results_never_go_back,
                               test_nothing_acknowledged_is_lost_and_nothing_is_there_twice,
                               test_the_last_result_of_each_key_is_its_aggregate)


class Fire(kafka_fire.Load):
    """What is done to the processes."""

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

    def burn(self, full):
        self.start()
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


@pytest.fixture(scope="module")
def run(penstock_bin, shared_kafka_cluster, full_run, tmp_path_factory):
    fire = Fire(penstock_bin, shared_kafka_cluster, "fire", tmp_path_factory.mktemp("fire"), kafka_fire.seed())
    try:
        fire.burn(full_run)
        yield fire.finish()
    finally:
        fire.kill()
        shared_kafka_cluster.restore()


def test_enough_was_at_stake(run):
    events = sum(len(found) for found in run["log"].values())
    print(f"{events} events; requests: {dict(run['ledger'].counts())}; results: {run['watcher'].records}")

    assert events >= 100_000
