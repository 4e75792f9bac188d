"""tools/kafka-cluster, as people and scripts use it: what it starts is real, breaks as told, and goes away."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

import pytest

from kafka.metadata import registered_brokers
from kafka_cluster import ROOT

TOOL = ROOT / "tools/kafka-cluster"


def run(*arguments, **options):
    """(exit code, stdout, stderr)"""
    done = subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True, timeout=300, **options)
    return done.returncode, done.stdout, done.stderr


def must(*arguments):
    code, output, errors = run(*arguments)
    assert code == 0, errors
    return output


def processes_of(directory):
    """Pids of all processes whose command line names the folder."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if os.fsencode(directory) in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            pass  # ended meanwhile
    return found


@pytest.fixture
def directory(tmp_path):
    """A folder that `up` makes; whatever the test left running in it ends."""
    path = tmp_path / "cluster"
    yield path
    if path.exists():
        run("down", "--directory", path)


def node_states(directory):
    nodes = json.loads(must("status", "--json", "--directory", directory))["nodes"]
    return {node["id"]: (node["state"], node["registered"]) for node in nodes}


def test_one_broker_starts_is_killed_starts_again_and_leaves_nothing(directory):
    bootstrap = must("up", "--brokers", 1, "--directory", directory).strip()
    host, port = bootstrap.split(":")
    socket.create_connection((host, int(port)), timeout=5).close()
    assert node_states(directory) == {1: ("running", True)}
    first = processes_of(directory)
    assert len(first) == 1

    must("kill-broker", 1, "--directory", directory)

    assert node_states(directory) == {1: ("dead", False)}
    assert processes_of(directory) == []

    must("start-broker", 1, "--directory", directory)

    assert node_states(directory) == {1: ("running", True)}
    assert bootstrap in must("status", "--directory", directory)
    assert processes_of(directory) not in ([], first)

    must("down", "--directory", directory)

    assert processes_of(directory) == []
    assert not directory.exists()


def test_a_paused_broker_loses_its_registration_and_gets_it_back(kafka_cluster):
    where = ["--directory", kafka_cluster.directory]
    must("pause-broker", 3, *where)
    try:
        wait_for(lambda: node_states(kafka_cluster.directory)[3] == ("paused", False))
        assert node_states(kafka_cluster.directory)[1] == ("running", True)
    finally:
        must("resume-broker", 3, *where)

    wait_for(lambda: node_states(kafka_cluster.directory)[3] == ("running", True))


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_start_leaves_neither_process_nor_folder(directory, number):
    starting = subprocess.Popen([TOOL, "up", "--directory", directory], stdout=subprocess.DEVNULL)
    wait_for(lambda: list(directory.glob("node-*/server.log")))

    starting.send_signal(number)

    assert starting.wait(30) == 128 + number
    assert processes_of(directory) == []
    assert not directory.exists()


def test_in_the_foreground_it_stays_until_it_is_told_to_stop(directory):
    arguments = ["up", "--brokers", "1", "--foreground", "--advertise-port", "1234", "--directory", directory]
    with subprocess.Popen([TOOL, *arguments], stdout=subprocess.PIPE, text=True) as running:
        bootstrap = running.stdout.readline().strip()
        assert [broker.port for broker in registered_brokers(int(bootstrap.split(":")[1]))] == [1234]
        assert running.poll() is None

        running.send_signal(signal.SIGINT)

        assert running.wait(30) == 128 + signal.SIGINT
    assert processes_of(directory) == []
    assert not directory.exists()


def test_a_folder_that_was_there_stays_and_one_with_files_is_refused(tmp_path):
    (tmp_path / "notes").write_text("mine")
    code, _, errors = run("up", "--directory", tmp_path)
    assert code == 1 and "is not an empty folder" in errors
    (tmp_path / "notes").unlink()

    code, _, errors = run("up", "--brokers", 1, "--directory", tmp_path, "--set", "num.io.threads=none")

    assert code == 1 and "Invalid value none" in errors
    assert list(tmp_path.iterdir()) == []


def test_a_broker_that_ends_is_named_with_the_error_in_its_log(directory):
    code, _, errors = run("up", "--brokers", 1, "--directory", directory, "--set",
                          "metric.reporters=no.such.Reporter")

    assert code == 1
    assert "node 1 ended" in errors and "no.such.Reporter" in errors
    assert not directory.exists()


def test_a_taken_port_is_named(directory):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, _, errors = run("up", "--brokers", 1, "--directory", directory, "--port", port)

    assert code == 1
    assert f"port {port} of node 1 is taken" in errors
    assert not directory.exists()


@pytest.mark.parametrize("variable, message", [("JAVA_HOME", "no java found"), ("PENSTOCK_DEPS", "no Kafka in")])
def test_what_is_not_installed_is_named_with_the_remedy(directory, tmp_path, variable, message):
    code, _, errors = run("up", "--directory", directory, env={**os.environ, variable: str(tmp_path / "none")})

    assert code == 1
    assert message in errors and "tools/setup" in errors


def test_a_process_that_is_not_the_one_that_was_started_is_left_alone(directory):
    must("up", "--brokers", 1, "--directory", directory)
    must("kill-broker", 1, "--directory", directory)
    with subprocess.Popen(["sleep", "600"]) as stranger:
        state_file = directory / "cluster.json"
        state = json.loads(state_file.read_text())
        state["nodes"][0]["pid"] = stranger.pid  # as if the system had given the number again
        state_file.write_text(json.dumps(state))

        must("down", "--directory", directory)

        assert stranger.poll() is None
        stranger.kill()
    assert not directory.exists()
