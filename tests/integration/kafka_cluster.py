"""KafkaCluster is a real cluster of a test: what tools/kafka-cluster starts, in the test's own process."""
import contextlib
import pathlib
import signal
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from kafka.cluster import Cluster as KafkaCluster  # noqa: E402
from kafka.plan import ClusterError, Options  # noqa: E402, F401


def terminated(number, _):
    pytest.exit(f"ended by signal {number}", 128 + number)


@contextlib.contextmanager
def running_cluster(**options):
    """A cluster (see `Options`) until the block ends, however it ends: SIGTERM raises, too."""
    before = signal.signal(signal.SIGTERM, terminated)
    try:
        cluster = KafkaCluster.up(Options(**options))
        try:
            yield cluster
        finally:
            cluster.down()
    finally:
        signal.signal(signal.SIGTERM, before)
