"""kill -9 at random moments under load: nothing acknowledged is lost, nothing is there twice, the
aggregates and the archive say the same as the log.

PENSTOCK_KILL_CYCLES sets how often (default 50; 300 with PENSTOCK_TEST_FULL=1), PENSTOCK_SEED what the
random moments are. The driver keeps its own books (ledger.py); ledger_test.py shows that its audit finds
what it should."""
import base64
import collections
import copy
import http.client
import json
import os
import random
import statistics
import threading
import time

import pytest

import archive
import writers
from ledger import Ledger, audit

CONFIG = """
[log]
backend = "embedded"
segment_size = "16MiB"

[http]
body_size_max = "1MiB"

[archive]
roll_interval = "1s"
file_rows_max = 20000

[[topic]]
name = "by_id"
partitions = 3
key = "/user"
id = "/id"

[[topic]]
name = "by_key"
partitions = 2
key = "/w"

[[topic]]
name = "plain"
partitions = 4
key = "/user"

[[aggregate]]
name = "amounts"          # grouped by the topic's key: one step
topic = "by_id"
group_by = ["/user"]
window = "1h"
count = true
sum = ["/amount"]

[[aggregate]]
name = "plain_amounts"    # grouped by something else: through a repartition topic
topic = "plain"
group_by = ["/w", "/amount"]
window = "1h"
count = true
sum = ["/n"]
min = ["/n"]
max = ["/n"]

[[table]]
name = "latest"
topic = "by_key"
"""

JOBS = {"amounts": "by_id", "plain_amounts": "plain", "latest": "by_key"}
# What is not taken, beside the load: dead letters that are no text, and some that are.
REFUSED = b'{"user":"\xff\xfe"}\n{"no":"user"}\n{"user":1,}\n'
DERIVED = ["plain.dlq", "amounts", "plain_amounts"]  # topics that nobody sends to, archived all the same

RESEND = {"by_id": writers.BY_EVENT_ID, "by_key": writers.BY_IDEMPOTENCY_KEY, "plain": writers.NEVER}


class Complainer(threading.Thread):
    """Sends what becomes dead letters, until stopped; counts what was acknowledged."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.acknowledged, self.stopping = server, 0, threading.Event()

    def run(self):
        while not self.stopping.wait(0.01):
            try:
                status, answer = self.server.post_events("plain", REFUSED)
                self.acknowledged += answer["dead_lettered"] if status == 200 else 0
            except (OSError, http.client.HTTPException, ValueError):
                pass  # it is being killed


def kill_and_restart(server, rng, imbalances):
    """Lets the load run for a moment, notes the balance, kills, starts again; sometimes kills before it
    is ready, too. Returns the seconds from start to readiness."""
    time.sleep(rng.uniform(0.02, 0.5))
    imbalances.append(server.imbalance())
    server.kill()
    while rng.random() < 0.2:
        server.launch()
        time.sleep(rng.uniform(0.0, 0.15))
        server.kill()
    started = time.monotonic()
    server.start()
    return time.monotonic() - started


def aggregate(log, key_of, number_of):
    """{key: [count, sum, min, max]} of the events in the log."""
    found = {}
    for events in log.values():
        for event in events:
            number = number_of(event)
            known = found.setdefault(key_of(event), [0, 0, number, number])
            known[:] = [known[0] + 1, known[1] + number, min(known[2], number), max(known[3], number)]
    return found


def merged(entries, pointer):
    """The same of a store's entries: arrival times may fall into two windows."""
    found = {}
    for entry in entries:
        total = entry["sum"][pointer]
        low, high = (entry.get(kind, {}).get(pointer) for kind in ("min", "max"))
        known = found.setdefault(tuple(entry["key"]), [0, 0, low, high])
        known[:2] = [known[0] + entry["count"], known[1] + total]
        if low is not None:
            known[2:] = [min(known[2], low), max(known[3], high)]
    return found


@pytest.fixture(scope="module")
def run(penstock_bin, full_run, tmp_path_factory):
    """The kills; then what the server says, and the archive after a graceful stop."""
    from penstock_process import Penstock

    cycles = int(os.environ.get("PENSTOCK_KILL_CYCLES", "300" if full_run else "50"))
    seed = os.environ.get("PENSTOCK_SEED", str(random.randrange(10**6)))
    print(f"\nPENSTOCK_SEED={seed}, {cycles} cycles")
    rng = random.Random(seed)
    work = tmp_path_factory.mktemp("durability")
    server = Penstock(penstock_bin, CONFIG, work / "data", work)
    ledger = Ledger()
    load = [writers.Writer(server, ledger, topic, name, resend, seed)
            for topic, resend in RESEND.items() for name in ("a", "b")]
    complainer = Complainer(server)
    result = {"ledger": ledger, "work": work / "data", "logs": {}, "entries": {}, "ends": {},
              "imbalances": [], "balances": {}}
    try:
        server.start()
        writers.start(load)
        complainer.start()
        result["recovery_s"] = [kill_and_restart(server, rng, result["imbalances"]) for _ in range(cycles)]
        complainer.stopping.set()
        complainer.join(timeout=60)
        writers.stop(load)
        result["complaints"] = complainer.acknowledged
        for store, topic in JOBS.items():
            server.wait_until_counted(store, topic)
            result["entries"][store] = list(server.entries(store))
            result["balances"][store] = server.balance(store, topic)
        result["imbalances"].append(server.imbalance())
        for topic in RESEND:
            result["logs"][topic] = writers.events_in_log(server, topic)
            result["ends"][topic] = server.log_ends(topic)
        server.stop()
        server.start()  # the stop has written the last updates to the output topics
        for topic in DERIVED:
            result["logs"][topic] = writers.events_in_log(server, topic)
            result["ends"][topic] = server.log_ends(topic)
        server.stop()
    finally:
        server.kill()
    times = result["recovery_s"]
    print(f"ready again after {statistics.median(times):.2f} s (median), {max(times):.2f} s (worst); "
          f"requests: {dict(ledger.counts())}")
    return result


def test_enough_was_at_stake(run):
    counts = run["ledger"].counts()

    assert counts["acknowledged"] > 20 * len(run["recovery_s"])
    assert counts["unknown"] > 0, "no request was on its way at any kill"


@pytest.mark.parametrize("topic", RESEND)
def test_nothing_acknowledged_is_lost_and_nothing_is_there_twice(run, topic):
    assert audit(run["ledger"].requests, topic, writers.numbers(run["logs"][topic])) == []


def test_everything_that_was_sent_again_has_arrived(run):
    left = [request for request in run["ledger"].requests
            if request[0] != "plain" and request[4] == "unknown"]

    assert left == []


def test_the_audit_of_this_run_can_fail(run):
    requests = copy.deepcopy(run["ledger"].requests)
    requests.append(["plain", "a", 10**9, 10**9, "acknowledged"])
    log = writers.numbers(copy.deepcopy(run["logs"]["plain"]))
    dropped = next(events for events in log.values() if len(events) > 10).pop(5)

    problems = audit(requests, "plain", log)

    assert any("a:1000000000-1000000000" in problem for problem in problems)
    assert any("lost" in problem or "in part" in problem for problem in problems
               if f"{dropped[0]}:" in problem and "1000000000" not in problem)


def test_aggregates_are_those_of_the_log(run):
    log = run["logs"]["by_id"]
    expected = aggregate(log, lambda event: (event["user"],), lambda event: event["amount"])

    found = merged(run["entries"]["amounts"], "/amount")

    assert {key: value[:2] for key, value in found.items()} == \
        {key: value[:2] for key, value in expected.items()}


def test_repartitioned_aggregates_are_those_of_the_log(run):
    log = run["logs"]["plain"]
    expected = aggregate(log, lambda event: (event["w"], event["amount"]), lambda event: event["n"])

    assert merged(run["entries"]["plain_amounts"], "/n") == expected


def test_the_table_holds_the_last_event_of_each_key(run):
    expected = {}
    for events in run["logs"]["by_key"].values():
        expected.update({event["w"]: event for event in events})

    assert {entry["key"][0]: entry["value"] for entry in run["entries"]["latest"]} == expected


def as_shown(value):
    """An archived value as the events API shows it."""
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    try:
        return json.loads(value)
    except ValueError:
        return value


def test_the_balance_was_even_at_every_moment(run):
    readings = [reading for reading in run["imbalances"] if reading is not None]

    assert len(readings) > len(run["recovery_s"]) / 4
    assert set(readings) == {0}


@pytest.mark.parametrize("job", JOBS)
def test_what_was_accepted_is_processed(run, job):
    end = sum(run["ends"][JOBS[job]].values())

    assert run["balances"][job] == (end, end, 0)


def test_no_dead_letter_that_was_acknowledged_is_lost(run):
    dead_letters = run["logs"]["plain.dlq"][0]

    assert len(dead_letters) >= run["complaints"] > len(run["recovery_s"])
    assert len(dead_letters) % 3 == 0  # a request is there whole or not at all


@pytest.mark.parametrize("topic", [*RESEND, *DERIVED])
def test_the_archive_is_the_log(run, topic):
    log = run["logs"][topic]
    archived = collections.defaultdict(list)
    for partition, _, _, value in archive.rows(run["work"], topic):
        archived[partition].append(as_shown(value))

    assert archive.check_ranges(run["work"], topic, run["ends"][topic]) == []
    assert dict(archived) == log


def test_the_archive_holds_nothing_but_finished_files(run):
    names = [path.name for path in (run["work"] / "archive").rglob("*") if path.is_file()]

    assert [name for name in names if not name.endswith(".parquet")] == [".lock"]
