"""Hostile requests over raw sockets: a clear answer, a dead letter or a closed connection; never a crash, a leak or
a lost good event. The cases are data in hostile_json_cases.py, hostile_http_cases.py and hostile_query_cases.py;
what is checked after each batch is Batch.audit() in hostile.py."""
import pytest

import hostile_http_cases
import hostile_json_cases
import hostile_query_cases
from hostile import CONFIG, Batch
from penstock_process import Penstock

pytestmark = pytest.mark.hostile
BATCHES = {**hostile_json_cases.CASES, **hostile_http_cases.CASES, **hostile_query_cases.CASES}


@pytest.fixture(scope="module")
def batches(penstock_bin, tmp_path_factory):
    """batches(name) -> the Batch of that name with its server running, one for all tests of the module."""
    running = {}

    def batch(name):
        if name not in running:
            folder = tmp_path_factory.mktemp(name)
            server = Penstock(penstock_bin, CONFIG, folder / "data", folder)
            server.start(60)
            running[name] = Batch(server)
        return running[name]

    yield batch
    for one in running.values():
        one.server.kill()


@pytest.mark.parametrize("name,case", [pytest.param(name, case, id=f"{name}-{case.id}")
                                       for name, cases in BATCHES.items() for case in cases])
def test_reaction(batches, name, case):
    batches(name).play(case)


@pytest.mark.parametrize("name", list(BATCHES))
def test_nothing_is_lost_or_left_behind(batches, name):
    batches(name).audit()


def test_there_are_enough_distinct_requests():
    cases = [case for cases in BATCHES.values() for case in cases]

    assert len({case.data for case in cases}) >= 300
    assert len({(name, case.id) for name, cases in BATCHES.items() for case in cases}) == len(cases)
