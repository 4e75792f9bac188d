"""Fixtures of the integration tests: the built program, started and stopped as an operator would.

PENSTOCK_BIN names the program (default build/release/bin/penstock). PENSTOCK_TEST_FULL=1 asks for the
long runs. PENSTOCK_DATA names the folder of sample data (default ../shared/data); tests that need it
are skipped where it is absent.
"""
import os
import pathlib

import pytest

import sanitizers
from kafka_cluster import running_cluster
from penstock_process import Penstock

ROOT = pathlib.Path(__file__).resolve().parents[2]
pytest.register_assert_rewrite("kafka_fire_checks")


def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.service)


@pytest.fixture(scope="session")
def penstock_bin():
    path = ROOT / os.environ.get("PENSTOCK_BIN", "build/release/bin/penstock")
    if not path.exists():
        pytest.fail(f"{path} is not there: run `make build`", pytrace=False)
    return path


@pytest.fixture(scope="session")
def sanitizer_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sanitizers")
    os.environ.update(sanitizers.options(folder))
    return folder


@pytest.fixture(autouse=True)
def no_sanitizer_report(sanitizer_folder):
    """Fails the test during which, or before which, a program of ours was caught at a mistake."""
    yield
    found = sanitizers.reports(sanitizer_folder)
    if found:
        pytest.fail("a sanitizer reports:\n" + "\n".join(found), pytrace=False)


@pytest.fixture(scope="session")
def full_run():
    """True if long runs are wanted."""
    return os.environ.get("PENSTOCK_TEST_FULL") == "1"


@pytest.fixture(scope="session")
def sample_data():
    path = ROOT / os.environ.get("PENSTOCK_DATA", "../shared/data")
    if not path.is_dir():
        pytest.skip(f"no sample data in {path}")
    return path


@pytest.fixture
def start_penstock(penstock_bin, tmp_path):
    """start_penstock(config_text, ...) -> a running Penstock; all are killed when the test ends."""
    started = []

    def start(config, data_dir=None, **options):
        server = Penstock(penstock_bin, config, data_dir or tmp_path / "data", tmp_path, **options)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.kill()


@pytest.fixture(scope="session")
def shared_kafka_cluster():
    """Three real brokers for the whole session; tests take `kafka_cluster`."""
    with running_cluster(brokers=3) as cluster:
        yield cluster


@pytest.fixture
def kafka_cluster(shared_kafka_cluster):
    """Three real brokers, all of them up, whatever the test before did to them. Topics stay: use own names."""
    shared_kafka_cluster.restore()
    return shared_kafka_cluster
