"""The Kafka log keeps the contract of the log port, on three real brokers: the suite that SimLog and the
embedded log pass too (src/testing/log_contract.h)."""
import os
import subprocess

import pytest

SECONDS_MAX = 900


@pytest.fixture
def contract(penstock_bin):
    path = penstock_bin.parent / "kafka_log_contract"
    if not path.exists():
        pytest.fail(f"{path} is not there: build the target `tests`", pytrace=False)
    return path


def test_the_kafka_log_keeps_the_contract_of_the_log_port(contract, kafka_cluster):
    done = subprocess.run([contract], env={**os.environ, "PENSTOCK_TEST_KAFKA": kafka_cluster.bootstrap_servers},
                          capture_output=True, text=True, timeout=SECONDS_MAX)

    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]
    assert "[  PASSED  ]" in done.stdout


def test_the_contract_does_not_pass_without_brokers(contract):
    environment = {name: value for name, value in os.environ.items() if name != "PENSTOCK_TEST_KAFKA"}
    done = subprocess.run([contract, "--gtest_filter=*CommitsAnEmptyTransaction*"], env=environment,
                          capture_output=True, text=True, timeout=60)

    assert done.returncode != 0
    assert "PENSTOCK_TEST_KAFKA" in done.stderr
