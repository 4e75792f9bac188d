"""The SQLite sink: every event exactly once in the table or in the dead letter topic, whatever is killed, locked or
full in between; with the offsets set back the same audit finds doubles. Python's own SQLite looks into the file."""
import contextlib
import json
import random
import shutil
import signal
import sqlite3
import time

import pytest

from sink_config import BREAKER, SMALL
from small_disk import small_disk
from table_events import COLUMNS, CONSTRAINT, MISFITS_EVERY, audit_table, dead_letters, event, send
from waiting import wait_until

CONFIG = SMALL + BREAKER + """
[[topic]]
name = "app"
partitions = 4
key = "/user"

[[sqlite]]
name = "db"
topic = "app"
table = "events"
columns = {columns}
batch_rows_max = 300
batch_time_max = "20ms"
retry_wait_min = "5ms"
retry_wait_max = "100ms"
lock_timeout = "100ms"
{more}
"""
# A trigger makes an event of this user take about a second: WITH is not allowed in triggers, in views it is.
TABLE = f"""CREATE TABLE events (n INTEGER NOT NULL CHECK ({CONSTRAINT}), username TEXT NOT NULL, amount TEXT,
           happened_at TEXT, ok INTEGER, tags TEXT);
           CREATE TABLE counted (n INTEGER);
           CREATE VIEW slow AS WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 5000000)
           SELECT count(*) AS n FROM c;
           CREATE TRIGGER slowly AFTER INSERT ON events WHEN new.username = 'slow'
           BEGIN INSERT INTO counted SELECT n FROM slow; END"""


class Database:
    """The sink's file, seen by another process."""

    def __init__(self, file):
        self.file = file

    @contextlib.contextmanager
    def opened(self, timeout=10.0):
        connection = sqlite3.connect(self.file, timeout=timeout, isolation_level=None)
        try:
            yield connection
        finally:
            connection.close()

    def sql(self, statement):
        with self.opened() as connection:
            return connection.execute(statement).fetchall()

    def script(self, statements):
        with self.opened() as connection:
            connection.executescript(statements)

    @contextlib.contextmanager
    def write_locked(self):
        with self.opened() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")

    def is_write_locked(self):
        with self.opened(timeout=0) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
                return False
            except sqlite3.OperationalError:
                return True

    def positions(self):
        """{partition: next offset}; empty before the sink has made its table."""
        if not self.file.exists() or not self.sql("SELECT 1 FROM sqlite_schema WHERE name = 'penstock_offsets'"):
            return {}
        return dict(self.sql("SELECT partition, next_offset FROM penstock_offsets WHERE sink = 'db'"))

    def epoch(self):
        """Grows whenever a process takes the sink over."""
        return self.sql("SELECT max(epoch) FROM penstock_offsets")[0][0]


@pytest.fixture
def database(tmp_path):
    return Database(tmp_path / "sink.db")


def config(database, more=""):
    return CONFIG.format(columns=COLUMNS, more=f'file = "{database.file}"\n{more}')


def audit(database, server, count):
    rows = [row[0] for row in database.sql("SELECT n FROM events")]
    return audit_table(server, count, rows, dead_letters(server, "CHECK constraint failed"), database.positions())


def stored(database):
    return sum(database.positions().values())


def wait_until_delivered(database, server, seconds=60):
    wait_until(lambda: stored(database) == sum(server.log_ends("app").values()), server, seconds)


def make_zombie(server, start_penstock, database, tmp_path, number):
    """Stops `server` in the middle of a transaction, starts its successor on a copy of its data, sees that it waits,
    wakes the first one up and sees it displaced. Returns the successor."""
    wait_until(lambda: server.metric("penstock_sink_up", sink="db") == 1, server)  # what is locked then is this event
    server.accept_events("app", json.dumps({**event(number), "user": "slow"}))
    wait_until(database.is_write_locked, server)
    server.process.send_signal(signal.SIGSTOP)
    assert database.is_write_locked()
    copy = tmp_path / f"data-{number}"
    shutil.copytree(server.data_dir, copy)
    before, epoch = stored(database), database.epoch()
    successor = start_penstock(config(database), data_dir=copy)
    wait_until(lambda: "database is locked" in successor.log_file.read_text(), successor)
    assert stored(database) == before
    server.process.send_signal(signal.SIGCONT)
    wait_until(lambda: database.epoch() > epoch, successor)
    wait_until_delivered(database, successor)
    server.accept_events("app", json.dumps(event(0)))  # into its own log, which is another one now
    wait_until(lambda: "stopped for good" in server.log_file.read_text(), server)
    assert "another process has taken this sink over" in server.log_file.read_text()
    server.kill()
    return successor


def test_every_event_is_exactly_once_in_the_table_or_a_dead_letter(start_penstock, database, tmp_path, full_run):
    count, kills, locks, zombies = (400_000, 400, 400, 6) if full_run else (100_000, 110, 90, 2)
    chance = random.Random(1)
    database.script(TABLE)
    server = start_penstock(config(database))
    sent = caught = 0

    for number in range(zombies):
        server = make_zombie(server, start_penstock, database, tmp_path, sent)
        sent += 1
    share = (count - sent) // (kills + locks)
    for fault in chance.sample(["kill"] * kills + ["lock"] * locks, kills + locks):
        if fault == "lock":
            before = server.metric("penstock_sink_retries_total", sink="db")
            with database.write_locked():
                send(server, sent, share)
                wait_until(lambda: server.metric("penstock_sink_retries_total", sink="db") > before, server)
        else:
            send(server, sent, share)
            time.sleep(chance.random() * 0.03)
            caught += database.is_write_locked()
            server.kill()
            server.start()
        sent += share
    send(server, sent, count - sent)
    wait_until_delivered(database, server, seconds=240)

    assert audit(database, server, count) == []
    print("faults:", {"kill -9": kills, "of them while it wrote": caught, "locks": locks, "zombies": zombies})
    assert kills + locks + zombies >= 200
    assert server.imbalance() == 0

    # The negative control: the offsets are what it hangs on, and the audit sees doubles.
    database.sql("UPDATE penstock_offsets SET next_offset = next_offset - 10 WHERE sink = 'db'")
    server.kill()
    server.start()
    wait_until_delivered(database, server)
    assert len(audit(database, server, count)) >= 30


def test_a_locked_file_opens_the_breaker_and_harms_nobody_else(start_penstock, database, tmp_path):
    other = Database(tmp_path / "other.db")
    database.script(TABLE)
    server = start_penstock(config(database) + f"""
[[topic]]
name = "other"

[[sqlite]]
name = "second"
topic = "other"
file = "{other.file}"
table = "others"
columns = ["/n:n:bigint"]
""")
    send(server, 0, 100)
    wait_until_delivered(database, server)

    with database.write_locked():
        send(server, 100, 5_000)
        server.accept_events("other", "\n".join(json.dumps({"n": n}) for n in range(1_000)))
        wait_until(lambda: server.metric("penstock_sink_rows_total", sink="second") == 1_000, server)
        wait_until(lambda: server.metric("penstock_sink_breaker_state", sink="db") == 1, server)
        assert "database is locked" in server.log_file.read_text()
        wait_until(lambda: server.metric("penstock_sink_lag_records", sink="db") == 5_000, server)
        assert server.get("/health/ready")[0] == 200
        assert database.sql("SELECT count(*) FROM events") == [(98,)]  # and two dead letters

    wait_until_delivered(database, server)
    assert audit(database, server, 5_100) == []


def test_a_full_disk_is_waited_for(start_penstock, tmp_path):
    with small_disk(tmp_path / "disk", 2 * 1024 * 1024) as disk:
        database = Database(disk / "sink.db")
        database.script(TABLE)
        server = start_penstock(config(database))
        send(server, 0, 2_000)
        wait_until_delivered(database, server)
        filler = disk / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

        send(server, 2_000, 5_000)
        wait_until(lambda: "database or disk is full" in server.log_file.read_text() or
                   "disk I/O error" in server.log_file.read_text(), server)
        assert server.get("/health/ready")[0] == 200
        at = stored(database)
        assert at < 7_000
        filler.unlink()

        wait_until_delivered(database, server)
        assert audit(database, server, 7_000) == []
        assert database.sql("PRAGMA integrity_check") == [("ok",)]
        server.stop()


TYPED = [
    {"n": 1, "user": "caf\u00e9 \u2603", "amount": 12345678901234567890.5, "at": 1_700_000_000_123, "ok": True,
     "tags": "text"},
    {"n": -9223372036854775808, "user": "", "amount": "-0.000010", "at": "1969-07-20T20:17:40+02:00",
     "ok": None, "tags": None},
    {"n": 3, "user": "x", "amount": "99999999999999999999.0000000000000001", "ok": False,
     "tags": {"z": 1, "a": [True]}},
]


def test_makes_its_tables_and_writes_every_type(start_penstock, tmp_path):
    server = start_penstock(CONFIG.format(columns=COLUMNS, more='metadata_table = "event_metadata"'))
    database = Database(server.data_dir / "db.sqlite")  # where it is if nothing is said

    server.accept_events("app", "\n".join(json.dumps(one, ensure_ascii=False) for one in TYPED),
                         headers={"ce-source": "/shop"})
    wait_until(lambda: server.metric("penstock_sink_rows_total", sink="db") == len(TYPED), server)

    assert database.sql("SELECT n, username, amount, happened_at, ok, tags FROM events ORDER BY abs(n % 100)") == [
        (1, "caf\u00e9 \u2603", "1.2345678901234567e+19", "2023-11-14T22:13:20.123Z", 1, '"text"'),
        (3, "x", "99999999999999999999.0000000000000001", None, 0, '{"z": 1, "a": [true]}'),
        (-9223372036854775808, "", "-0.000010", "1969-07-20T18:17:40.000Z", None, None),
    ]
    assert database.sql("SELECT datetime(happened_at), json_extract(tags, '$') FROM events WHERE n = 1") == [
        ("2023-11-14 22:13:20", "text")]
    metadata = database.sql('SELECT topic, partition, "offset", key, time FROM event_metadata')
    assert sorted(row[3].decode() for row in metadata) == sorted(one["user"] for one in TYPED)
    assert all(row[0] == "app" and row[4].endswith("Z") for row in metadata)
    assert database.sql("PRAGMA journal_mode") == [("wal",)]


def test_upsert_keeps_the_last_event_of_each_key(start_penstock, database):
    server = start_penstock(config(database, 'mode = "upsert"\nkey = ["username"]\nsynchronous = "normal"'))

    send(server, 0, 4_000)
    wait_until_delivered(database, server)

    newest = {f"u{number % 37}": number for number in range(4_000) if number % MISFITS_EVERY != 11}
    assert dict(database.sql("SELECT username, n FROM events")) == newest


def test_a_file_that_is_deleted_is_filled_again(start_penstock, database):
    server = start_penstock(config(database))
    send(server, 20, 100)
    wait_until_delivered(database, server)

    database.file.unlink()
    wait_until(lambda: stored(database) == 100, server)

    assert database.sql("SELECT count(*) FROM events") == [(100,)]
    assert "was moved or deleted" in server.log_file.read_text()


def test_says_what_is_wrong_with_a_table_and_goes_on_when_it_is_mended(start_penstock, database):
    database.script("CREATE TABLE events (n INTEGER, username TEXT, amount REAL, happened_at TEXT, ok INTEGER, tags TEXT)")
    server = start_penstock(config(database))
    send(server, 0, 10)
    wait_until(lambda: "table events, column amount: is declared as numeric, but is REAL"
               in server.log_file.read_text(), server)

    database.script("DROP TABLE events")
    wait_until_delivered(database, server)

    assert database.sql("SELECT count(*) FROM events") == [(10,)]


def test_a_graceful_stop_does_not_wait_for_a_statement(start_penstock, database):
    database.script(TABLE.replace("5000000", "500000000"))
    server = start_penstock(config(database))
    server.accept_events("app", json.dumps({**event(0), "user": "slow"}))
    wait_until(database.is_write_locked, server)

    server.stop()

    assert stored(database) == 0
