"""A disk that is full: requests are refused with a clear answer, reads go on, and once there is space
again everything goes on by itself, with nothing acknowledged lost. On a small tmpfs; needs root."""
import json
import time

import pytest

import small_disk
import writers
from ledger import Ledger, audit

CONFIG = """
[log]
backend = "embedded"
compression = "none"  # the disk shall fill soon
segment_size = "4MiB"
tail_size = "4MiB"

[http]
body_size_max = "512KiB"

[ingest]
event_size_max = "256KiB"

[archive]
enabled = false

[[topic]]
name = "web"
partitions = 2
key = "/user"

[[aggregate]]
name = "amounts"
topic = "web"
group_by = ["/user"]
window = "1h"
count = true
sum = ["/amount"]
"""
DISK_BYTES = 64 * 1024 * 1024
FILLER_BYTES = 24 * 1024 * 1024


@pytest.fixture
def disk(tmp_path):
    """A file system of 64 MiB with a file of 24 MiB on it that can be removed to make space."""
    with small_disk.small_disk(tmp_path / "disk", DISK_BYTES) as disk:
        (disk / "filler").write_bytes(bytes(FILLER_BYTES))
        yield disk


@pytest.fixture
def start_on_small_disk(disk, start_penstock):
    """After disk, so that servers are killed before the disk is taken away."""
    return lambda: start_penstock(CONFIG, data_dir=disk / "data")


def post_until_refused(server, ledger, first=0):
    """Fills the disk; returns the next number and the answer that refused."""
    padding = "x" * 3000
    number = first
    for _ in range(20_000):
        last = number + 19
        body = "\n".join(json.dumps({"w": "a", "n": n, "user": f"u{n % 5}", "amount": 1, "pad": padding})
                         for n in range(number, last + 1))
        request = ledger.sending("web", "a", number, last)
        status, headers, answer = server.request("POST", "/v1/topics/web/events", body)
        if status != 200:
            ledger.refused(request)
            return last + 1, status, headers, json.loads(answer)
        ledger.acknowledged(request)
        number = last + 1
    raise AssertionError("the disk never became full")


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def check_books(server, ledger):
    log = writers.numbers(writers.events_in_log(server, "web"))
    assert audit(ledger.requests, "web", log) == []
    server.wait_until_counted("amounts", "web")
    end = sum(map(len, log.values()))
    assert server.balance("amounts", "web") == (end, end, 0)
    assert server.imbalance() == 0
    assert sum(entry["count"] for entry in server.entries("amounts")) == end


def test_a_full_disk_refuses_and_recovers_by_itself(start_on_small_disk, disk):
    server = start_on_small_disk()
    ledger = Ledger()

    number, status, headers, answer = post_until_refused(server, ledger)

    assert status in (429, 503)
    assert int(headers["Retry-After"]) >= 1
    assert answer["code"] and answer["message"]
    assert server.get("/health/live")[0] == 200
    assert server.get("/v1/topics/web/events?limit=1")[0] == 200

    (disk / "filler").unlink()
    wait_for(lambda: server.get("/health/ready")[0] == 200 and
             server.post_events("web", '{"w":"b","n":0,"user":"u0","amount":1}')[0] == 200)
    ledger.acknowledged(ledger.sending("web", "b", 0, 0))
    number, *_ = post_until_refused(server, ledger, number)
    assert ledger.counts()["acknowledged"] > 100
    # Everything that was acknowledged is still there, before and after.
    log = writers.numbers(writers.events_in_log(server, "web"))
    assert audit(ledger.requests, "web", log) == []
    server.balance("amounts", "web")
    assert server.metric("penstock_ingest_log_records_total", stage="refused") > 0
    assert server.imbalance() == 0


def test_a_kill_on_a_full_disk_loses_nothing(start_on_small_disk, disk):
    server = start_on_small_disk()
    ledger = Ledger()
    post_until_refused(server, ledger)

    server.kill()
    (disk / "filler").unlink()
    server.start()

    check_books(server, ledger)
