"""What must be true of every run of kafka_fire.Load, whatever happened to it. A test module that imports these has
them as tests of its own fixture `run`, which is what Load.finish() gives."""
import pytest

import kafka_fire


def test_nothing_acknowledged_is_lost_and_nothing_is_there_twice(run):
    assert kafka_fire.lost_or_doubled(run) == []
    assert run["ledger"].counts().keys() == {"acknowledged"}


@pytest.mark.parametrize("store", kafka_fire.AGGREGATES)
def test_aggregates_are_those_of_the_log(run, store):
    assert run["entries"][store] == run["expected"][store]


def test_the_last_result_of_each_key_is_its_aggregate(run):
    assert kafka_fire.last_results(run["results"]) == run["expected"]["amounts"]


def test_committed_results_never_go_back(run):
    assert run["watcher"].problems == []
    assert run["watcher"].records > 100
