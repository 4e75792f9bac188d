"""SIGTERM: new work is refused, what is in flight is finished, and everything acknowledged is in the
archive when the program has ended, within ten seconds."""
import collections
import json
import signal
import socket
import time

import archive
import writers
from ledger import Ledger, audit

CONFIG = """
[log]
backend = "embedded"

[[topic]]
name = "web"
partitions = 3
key = "/user"
id = "/id"

[[topic]]
name = "private"
partitions = 1
archive = false

[[aggregate]]
name = "amounts"
topic = "web"
group_by = ["/user"]
window = "1h"
count = true
sum = ["/amount"]
"""


def test_everything_acknowledged_before_a_stop_under_load_is_in_the_archive(start_penstock):
    server = start_penstock(CONFIG)
    ledger = Ledger()
    load = [writers.Writer(server, ledger, "web", name, writers.NEVER, 1) for name in "abcd"]
    writers.start(load)
    time.sleep(1.5)

    stopping = time.monotonic()
    server.stop(seconds=10)
    took = time.monotonic() - stopping
    writers.stop(load)

    log = collections.defaultdict(list)
    for partition, _, _, value in archive.rows(server.data_dir, "web"):
        event = json.loads(value)
        log[partition].append((event["w"], event["n"]))
    assert audit(ledger.requests, "web", log) == []
    assert ledger.counts()["acknowledged"] > 100
    assert took < 10


def test_the_state_after_a_stop_is_the_state_before_it(start_penstock):
    server = start_penstock(CONFIG)
    for number in range(300):
        server.accept_events("web", json.dumps({"user": f"u{number % 7}", "amount": number, "id": number}))
    server.wait_until_counted("amounts", "web")
    before = list(server.entries("amounts"))
    ends = server.log_ends("web")

    server.stop()
    server.start()
    server.wait_until_counted("amounts", "web")

    assert list(server.entries("amounts")) == before
    assert server.log_ends("web") == ends


def test_the_archive_goes_on_where_it_ended(start_penstock):
    server = start_penstock(CONFIG)
    for _ in range(3):
        server.accept_events("web", "\n".join(json.dumps({"user": f"u{n}"}) for n in range(50)))
        ends = server.log_ends("web")
        server.stop()
        assert archive.check_ranges(server.data_dir, "web", ends) == []
        server.start()


def test_a_topic_without_archive_leaves_none(start_penstock):
    server = start_penstock(CONFIG)
    server.accept_events("private", "{}")

    server.stop()

    assert archive.files_of(server.data_dir, "private") == {}


def test_an_idle_keep_alive_connection_does_not_hold_up_the_stop(start_penstock):
    server = start_penstock(CONFIG)
    with socket.create_connection(("127.0.0.1", server.port)) as idle:
        idle.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(1000).startswith(b"HTTP/1.1 200")

        stopping = time.monotonic()
        server.stop(seconds=10)

    assert time.monotonic() - stopping < 5


def test_a_client_that_never_finishes_its_request_does_not_hold_up_the_stop(start_penstock):
    server = start_penstock(CONFIG)
    with socket.create_connection(("127.0.0.1", server.port)) as slow:
        slow.sendall(b"POST /v1/topics/web/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        time.sleep(0.2)

        server.stop(seconds=10)


def test_a_second_server_on_the_same_directory_is_refused_with_one_sentence(start_penstock, penstock_bin,
                                                                            tmp_path):
    import subprocess

    server = start_penstock(CONFIG)
    second = subprocess.run([penstock_bin, "up", "--config", server.config_file, "--data-dir",
                             server.data_dir, "--listen", "127.0.0.1:0"],
                            capture_output=True, text=True, timeout=30)

    assert second.returncode == 1
    assert str(server.data_dir) in second.stderr
    assert server.get("/health/live")[0] == 200


def test_ctrl_c_stops_like_sigterm(start_penstock):
    server = start_penstock(CONFIG)
    server.accept_events("web", '{"user":"u"}')

    server.process.send_signal(signal.SIGINT)

    assert server.process.wait(10) == 0
    assert len(archive.rows(server.data_dir, "web")) == 1
