"""A loss that an operator accepts: the program goes on without what cannot be read, says so everywhere, and
remembers it; damage that comes later is refused as before."""
import os
import re
import subprocess

import pytest

CONFIG = """
[log]
compression = "none"  # the events are looked for in the segments
segment_size = "1MiB"

[http]
body_size_max = "64KiB"

[ingest]
event_size_max = "64KiB"
batch_size_max = "64KiB"

[archive]
roll_interval = "1h"

[[topic]]
name = "web"
partitions = 1
id = "/id"
timestamp = "/ts"

[[aggregate]]
name = "by_kind"
topic = "web"
group_by = ["/kind"]
window = "1h"
count = true
"""
LATER_JOB = """
[[aggregate]]
name = "later"
topic = "web"
group_by = ["/kind"]
window = "1h"
count = true
"""
EVENTS = 150
TIME = "2026-05-17T10:05:03Z"


def event(number):
    return '{"id":"%06d","kind":"a","ts":"%s","pad":"%s"}' % (number, TIME, "x" * 20_000)


def segment_of(data_dir, number):
    """The segment that holds an event, and where in it the event's id stands."""
    for path in sorted((data_dir / "log").glob("0*.seg")):
        found = path.read_bytes().find(b'"%06d"' % number)
        if found >= 0:
            return path, found
    raise AssertionError(f"no segment holds event {number}")


def damage(data_dir, number):
    path, position = segment_of(data_dir, number)
    with path.open("r+b") as file:
        file.seek(position + 3)
        byte = file.read(1)[0]
        file.seek(position + 3)
        file.write(bytes([byte ^ 4]))
    return path


def up(penstock_bin, server):
    """`up` where it is expected to refuse."""
    return subprocess.run([penstock_bin, "up", "--config", server.config_file, "--data-dir", server.data_dir,
                           "--listen", "127.0.0.1:0"], capture_output=True, text=True, timeout=60)


def doctor(penstock_bin, data_dir):
    return subprocess.run([penstock_bin, "doctor", "--data-dir", str(data_dir)], capture_output=True, text=True,
                          timeout=60)


def refused(penstock_bin, server, path):
    for answer in (up(penstock_bin, server), doctor(penstock_bin, server.data_dir)):
        assert answer.returncode == 3, answer.stdout + answer.stderr
        assert path.name in answer.stderr, answer.stderr
        assert "damaged at position" in answer.stderr, answer.stderr


def archived_offsets(data_dir):
    """Offsets by the names of archive files, and those of .missing files."""
    topic = data_dir / "archive" / "topic=web"
    ranges = {".parquet": [], ".missing": []}
    for path in topic.rglob("*web-0-*"):
        if match := re.fullmatch(r"_?web-0-(\d+)-(\d+)(\.parquet|\.missing)", path.name):
            ranges[match[3]] += range(int(match[1]), int(match[2]) + 1)
    return sorted(ranges[".parquet"]), sorted(ranges[".missing"])


@pytest.fixture
def killed(start_penstock):
    """A server that has filled some segments, has archived nothing, and was killed."""
    server = start_penstock(CONFIG)
    for number in range(EVENTS):
        server.accept_events("web", event(number))
    server.wait_until_counted("by_kind", "web")
    server.kill()
    return server


def test_an_accepted_loss_is_a_gap_and_fresh_damage_is_refused(penstock_bin, killed):
    server = killed
    damaged = damage(server.data_dir, 3)
    refused(penstock_bin, server, damaged)
    assert "would be lost with --accept-data-loss: offsets 3 to 3" in doctor(penstock_bin, server.data_dir).stdout

    # A job that begins now comes to the gap, too.
    server.config_file.write_text(CONFIG + LATER_JOB)
    server.arguments = ["--accept-data-loss"]
    server.start()
    assert server.accept_events("web", event(10)) == {
        "accepted": 0, "duplicates": 1, "dead_lettered": 0, "errors": []}
    assert server.accept_events("web", event(EVENTS))["accepted"] == 1
    for store in ("by_kind", "later"):
        server.wait_until_counted(store, "web")
    counts = {store: [entry["count"] for entry in server.entries(store)] for store in ("by_kind", "later")}
    assert counts == {"by_kind": [EVENTS + 1], "later": [EVENTS]}
    metrics = server.metrics()
    assert metrics["penstock_log_lost_records", ()] == 1
    assert metrics["penstock_engine_skipped_records_total", (("job", "later"),)] == 1
    assert all(value == 0 for (name, _), value in metrics.items() if "imbalance" in name)
    assert len(server.events("web")) == EVENTS
    server.stop()
    assert archived_offsets(server.data_dir) == ([n for n in range(EVENTS + 1) if n != 3], [3])
    assert "accepted as lost: offsets 3 to 3 of partition 0 of topic web" in server.log_file.read_text()

    examined = doctor(penstock_bin, server.data_dir)
    assert (examined.returncode, examined.stderr) == (0, "")
    assert "accepted as lost: offsets 3 to 3 of partition 0 of topic web" in examined.stdout

    server.arguments = []
    server.start()
    assert server.accept_events("web", event(EVENTS + 1))["accepted"] == 1
    server.stop()

    damaged = damage(server.data_dir, 5)
    refused(penstock_bin, server, damaged)


def test_a_loss_at_the_end_of_a_partition(penstock_bin, killed):
    """Nobody knows what was in the last group: its offsets are not given out again."""
    server = killed
    damage(server.data_dir, EVENTS - 1)
    server.arguments = ["--accept-data-loss"]

    server.start()
    end = server.log_ends("web")[0]
    assert end >= EVENTS
    assert server.accept_events("web", event(EVENTS))["accepted"] == 1
    server.wait_until_counted("by_kind", "web")
    assert server.events("web")[-1]["offset"] == end
    server.stop()

    archived, missing = archived_offsets(server.data_dir)
    assert archived + missing != [] and sorted(archived + missing) == list(range(end + 1))
    server.arguments = []
    server.start()
    server.stop()


def test_nothing_is_lost_by_accepting_without_damage(penstock_bin, killed):
    server = killed
    server.arguments = ["--accept-data-loss"]

    server.start()

    assert server.metrics()["penstock_log_lost_records", ()] == 0
    assert len(server.events("web")) == EVENTS
    server.stop()
    assert os.path.exists(server.data_dir / "archive")
    assert archived_offsets(server.data_dir) == (list(range(EVENTS)), [])
