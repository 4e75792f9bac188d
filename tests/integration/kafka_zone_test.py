"""Twelve brokers and three controllers in three zones; a gateway and two stream processes under load; all of one zone
is killed with -9. Writes and processing go on, for how long they stood still is printed, nothing is lost or counted
twice, and when the zone is back it is one of three again."""
import time

import pytest
from confluent_kafka import admin

import kafka_fire
from kafka_cluster import running_cluster
from kafka_fire_checks import (test_aggregates_are_those_of_the_log,  # noqa: F401
                               test_committed_results_never_go_back,
                               test_nothing_acknowledged_is_lost_and_nothing_is_there_twice,
                               test_the_last_result_of_each_key_is_its_aggregate)
from waiting import wait_until

pytestmark = pytest.mark.slow
PARTITIONS = 12  # so that every broker leads some
INTERNAL = {"offsets.topic.num.partitions": "12", "transaction.state.log.num.partitions": "12"}
GOES_ON_S, PATIENCE_S = 20, 300


class ZoneLoss(kafka_fire.Load):

    def wait_for_results(self, since):
        """Returns when every partition that ever had a result has had one since."""
        deadline = time.monotonic() + PATIENCE_S
        while late := [number for number, found in list(self.watcher.seen_at.items()) if found[-1] < since]:
            assert time.monotonic() < deadline, \
                f"no results in partitions {late}\n" + "\n".join(server.log_tail() for server in self.streams)
            time.sleep(0.1)

    def zone_of_the_coordinator(self):
        """The zone that has the job's committed offsets."""
        client = admin.AdminClient(self.cluster.client_settings)
        group = f"{self.prefix}.amounts"
        found = client.describe_consumer_groups([group])[group].result(30)
        return self.cluster.node(found.coordinator.id).rack

    def lose_a_zone(self):
        """Results of what happened."""
        for writer in self.writers:  # no more than fifteen nodes on one machine can take
            writer.events_max, writer.pause_s = 40, 0.2
        self.start()
        self.streams[1].start(120)
        wait_until(lambda: len(self.watcher.seen_at) > PARTITIONS / 2 and self.watcher.records > 200, self.streams[0],
                   PATIENCE_S)
        self.wait_for_results(time.monotonic())
        steady = time.monotonic()
        time.sleep(GOES_ON_S)
        zone = self.zone_of_the_coordinator()
        lost = [node for node in self.cluster.nodes if node.rack == zone]
        assert len(lost) == 5  # four brokers and a controller
        for node in lost:
            self.cluster.kill(node.node_id)
        killed = time.monotonic()
        self.wait_for_results(killed)
        time.sleep(GOES_ON_S)
        self.wait_for_results(time.monotonic())
        assert all(node.state() == "dead" for node in lost)
        back = time.monotonic()
        self.cluster.restore()
        restored = time.monotonic()
        self.wait_for_results(restored)
        time.sleep(GOES_ON_S)
        end = time.monotonic()
        return {"zone": zone, "steady": self.gaps(steady, killed), "lost": self.gaps(killed, back),
                "back": self.gaps(back, end), "acknowledged after the loss":
                    sum(killed < when < back for when in self.ledger.acknowledged_at),
                "spilled": self.gateway.metric("penstock_spill_appends_total")}

    def gaps(self, since, until):
        """Longest seconds without an acknowledged request; without a result; without one of some partition."""
        every = sorted(when for found in self.watcher.seen_at.values() for when in found)
        return {"gateway": gap(self.ledger.acknowledged_at, since, until), "streams": gap(every, since, until),
                "one partition": max(gap(found, since, until) for found in self.watcher.seen_at.values())}


def gap(times, since, until):
    inside = [since, *(when for when in list(times) if since < when < until), until]
    return round(max(later - earlier for earlier, later in zip(inside, inside[1:])), 1)


@pytest.fixture(scope="module")
def run(penstock_bin, full_run, tmp_path_factory):
    if not full_run:
        pytest.skip("starts 15 brokers and controllers: PENSTOCK_TEST_FULL=1")
    rest = kafka_fire.REST.replace("partitions = 4", f"partitions = {PARTITIONS}")
    with running_cluster(brokers=12, extra=INTERNAL, wait_seconds=600) as cluster:
        load = ZoneLoss(penstock_bin, cluster, "zone", tmp_path_factory.mktemp("zone"), kafka_fire.seed(), rest)
        try:
            happened = load.lose_a_zone()
            print(happened)
            yield {**load.finish(PATIENCE_S), **happened}
        finally:
            load.kill()


def test_writes_and_processing_go_on_without_the_zone(run):
    assert run["acknowledged after the loss"] > 100
    assert run["lost"]["one partition"] < PATIENCE_S
