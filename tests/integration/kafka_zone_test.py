"""A zone is lost while Penstock takes events in and processes them: of 12 brokers in three zones and 3 controllers five
are killed with -9. Writing and processing go on, nothing is lost and nothing counts twice."""
import time

import pytest

import kafka_fire
from kafka_cluster import running_cluster
from kafka_fire_checks import (test_aggregates_are_those_of_the_log,  # noqa: F401
                               test_committed_results_never_go_back,
                               test_nothing_acknowledged_is_lost_and_nothing_is_there_twice,
                               test_the_last_result_of_each_key_is_its_aggregate)

pytestmark = pytest.mark.slow


class Gaps:
    """How long at a time nothing was acknowledged, and nothing was processed."""

    def __init__(self, load):
        self.load = load
        self.last, self.longest = {}, {}

    def look(self):
        now = time.monotonic()
        figures = {"acknowledged": self.load.ledger.counts()["acknowledged"], "results": self.load.watcher.records}
        for name, count in figures.items():
            before, since = self.last.get(name, (count, now))
            if count != before:
                since = now
            self.last[name] = (count, since)
            self.longest[name] = max(self.longest.get(name, 0.0), now - since)

    def watch(self, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.look()
            time.sleep(0.05)


@pytest.fixture(scope="module")
def run(penstock_bin, full_run, tmp_path_factory):
    if not full_run:
        pytest.skip("starts 15 brokers and controllers: PENSTOCK_TEST_FULL=1")
    with running_cluster(brokers=12, wait_seconds=600) as cluster:
        load = kafka_fire.Load(penstock_bin, cluster, "zone", tmp_path_factory.mktemp("zone"), kafka_fire.seed())
        lost = [node for node in cluster.nodes if node.rack == "az-b"]
        gaps = Gaps(load)
        try:
            load.start()
            load.streams[1].start(120)
            gaps.watch(10)
            before = load.ledger.counts()["acknowledged"], load.watcher.records
            gaps.longest = {}
            for node in lost:
                cluster.kill(node.node_id)
            gaps.watch(60)
            after = load.ledger.counts()["acknowledged"], load.watcher.records
            spilled = load.gateway.metric("penstock_spill_appends_total")
            states = [node.state() for node in lost]
            result = load.finish(300)
            result.update(lost=states, gaps=gaps.longest, went_on=[now - then for now, then in zip(after, before)],
                          spilled=spilled)
            print(f"az-b lost: longest gaps {gaps.longest} s, meanwhile {result['went_on']} requests acknowledged and "
                  f"results read, {spilled} appends went into the spill")
            yield result
        finally:
            load.kill()


def test_the_zone_was_lost_and_stayed_away(run):
    assert run["lost"] == ["dead"] * 5  # four brokers and a controller


def test_writing_and_processing_went_on(run):
    assert min(run["went_on"]) > 100
    assert max(run["gaps"].values()) < 45
