"""The PostgreSQL sink against a real server: every event exactly once in the table or in the dead letter
topic, whatever breaks in between; with the offsets set back the same audit finds doubles."""
import json
import shutil
import signal
import time

import pytest

from commit_cutter import CommitCutter
from postgres_server import PostgresServer
from sink_config import BREAKER, SMALL
from table_events import COLUMNS, CONSTRAINT, MISFITS_EVERY, audit_table, dead_letters, send
from waiting import wait_until

CONFIG = SMALL + BREAKER + """
[[topic]]
name = "app"
partitions = 4
key = "/user"

[[postgres]]
name = "db"
topic = "app"
connection = "host=127.0.0.1 port={port} user=app dbname=postgres sslmode=disable gssencmode=disable"
table = "events"
columns = {columns}
retry_wait_min = "5ms"
retry_wait_max = "100ms"
connect_timeout = "500ms"
request_timeout = "2s"
{more}
"""
TABLE = f"""CREATE TABLE events (n bigint NOT NULL CHECK ({CONSTRAINT}), username text NOT NULL, amount numeric,
           happened_at timestamptz, ok boolean, tags jsonb)"""


@pytest.fixture
def postgres():
    server = PostgresServer()
    server.start()
    yield server
    server.remove()


def config(port, more="", rows=300):
    return CONFIG.format(port=port, columns=COLUMNS, more=more + f"\nbatch_rows_max = {rows}\nbatch_time_max = \"20ms\"")


def audit(postgres, server, count):
    """Problems of table and dead letters against what was sent."""
    rows = [int(row[0]) for row in postgres.sql("SELECT n FROM events")]
    positions = {int(row[0]): int(row[1])
                 for row in postgres.sql("SELECT partition, next_offset FROM penstock_offsets WHERE sink = 'db'")}
    return audit_table(server, count, rows, dead_letters(server, "events_n_check"), positions)


def stored(postgres):
    """The sum of the stored offsets; 0 before the sink has made its table."""
    if postgres.value("SELECT to_regclass('penstock_offsets') IS NULL") == "t":
        return 0
    return int(postgres.value("SELECT coalesce(sum(next_offset), 0) FROM penstock_offsets WHERE sink = 'db'"))


def wait_until_delivered(postgres, server, seconds=120, each=lambda: None):
    """Until the stored offsets are at the log's end; `each` runs at each look."""
    deadline = time.monotonic() + seconds
    while True:
        each()
        at, end = stored(postgres), sum(server.log_ends("app").values())
        if at == end:
            return
        assert time.monotonic() < deadline, f"delivered {at} of {end}:\n{server.log_tail()}"
        time.sleep(0.05)


def make_zombie(server, start_penstock, postgres, proxy, tmp_path, number):
    """Stops `server` while its COMMIT is on its way, starts its successor on a copy of its data, wakes it up,
    and sees it displaced. Every other time the COMMIT never arrives. Returns the successor."""
    wait_until(lambda: proxy.held > number, server)
    server.process.send_signal(signal.SIGSTOP)
    copy = tmp_path / f"data-{number}"
    shutil.copytree(server.data_dir, copy)
    proxy.release(cut=number % 2 == 1)
    before = stored(postgres)
    successor = start_penstock(config(proxy.port), data_dir=copy)
    wait_until(lambda: stored(postgres) > before, successor)
    server.process.send_signal(signal.SIGCONT)
    wait_until(lambda: "stopped for good" in server.log_file.read_text(), server)
    assert "another process has taken this sink over" in server.log_file.read_text()
    assert server.metric("penstock_sink_up", sink="db") == 0
    server.kill()
    return successor


def test_every_event_is_exactly_once_in_the_table_or_a_dead_letter(start_penstock, postgres, tmp_path, full_run):
    count, kills, zombies, cuts = (500_000, 30, 10, 1_000) if full_run else (100_000, 6, 3, 200)
    postgres.sql(TABLE)
    proxy = CommitCutter(postgres.port, seed=1)
    server = start_penstock(config(proxy.port))
    sent = 0

    for number in range(zombies):
        proxy.hold()
        send(server, sent, 8_000)
        sent += 8_000
        server = make_zombie(server, start_penstock, postgres, proxy, tmp_path, number)
    send(server, sent, count - sent)
    proxy.before_chance, proxy.after_chance = 0.15, 0.45
    killed, next_kill = 0, time.monotonic()

    def disturb():
        nonlocal killed, next_kill
        if proxy.cut_before + proxy.cut_after >= cuts:
            proxy.before_chance = proxy.after_chance = 0.0
        if killed < kills and time.monotonic() > next_kill:
            postgres.kill()
            postgres.start()
            killed += 1
            next_kill = time.monotonic() + 1

    wait_until_delivered(postgres, server, seconds=900 if full_run else 240, each=disturb)
    while proxy.cut_before + proxy.cut_after < cuts:  # batches were large, so that few were cut
        send(server, count, 500)
        count += 500
        wait_until_delivered(postgres, server, each=disturb)

    assert audit(postgres, server, count) == []
    assert server.metric("penstock_sink_dead_letters_total", sink="db") >= 1
    faults = {"cut after COMMIT": proxy.cut_after, "cut before COMMIT": proxy.cut_before,
              "kill -9 of the server": killed, "zombies": zombies}
    print("faults:", faults)
    assert sum(faults.values()) >= 200, faults
    assert proxy.cut_after >= 50
    assert server.imbalance() == 0
    proxy.close()

    # The negative control: the offsets are what it hangs on, and the audit sees doubles.
    postgres.sql("UPDATE penstock_offsets SET next_offset = next_offset - 10 WHERE sink = 'db'")
    server.kill()
    server = start_penstock(config(postgres.port), data_dir=server.data_dir)
    wait_until_delivered(postgres, server)
    assert len(audit(postgres, server, count)) >= 30


TYPED = [
    {"n": 1, "user": "caf\u00e9 \u2603", "amount": 12345678901234567890.5, "at": 1_700_000_000_123, "ok": True,
     "tags": "text"},
    {"n": -9223372036854775808, "user": "", "amount": "-0.000010", "at": "1969-07-20T20:17:40+02:00",
     "ok": None, "tags": None},
    {"n": 3, "user": "x", "amount": "1e30"},
    {"n": 4, "user": "x", "amount": "99999999999999999999.0000000000000001", "tags": {"z": 1, "a": [True]}},
]


def test_makes_its_tables_and_writes_every_type(start_penstock, postgres):
    server = start_penstock(config(postgres.port, 'metadata_table = "event_metadata"'))

    server.accept_events("app", "\n".join(json.dumps(one, ensure_ascii=False) for one in TYPED))
    wait_until(lambda: server.metric("penstock_sink_rows_total", sink="db") == len(TYPED), server)

    assert postgres.sql("SELECT n, username, amount, happened_at AT TIME ZONE 'UTC', ok, tags FROM events "
                        "ORDER BY abs(n % 100)") == [
        ["1", "caf\u00e9 \u2603", "12345678901234567000", "2023-11-14 22:13:20.123", "t", '"text"'],
        ["3", "x", "1000000000000000000000000000000", "", "", ""],
        ["4", "x", "99999999999999999999.0000000000000001", "", "", '{"a": [true], "z": 1}'],
        ["-9223372036854775808", "", "-0.000010", "1969-07-20 18:17:40", "", ""],
    ]
    metadata = postgres.sql("SELECT topic, partition, \"offset\", convert_from(key, 'UTF8'), time IS NOT NULL "
                            "FROM event_metadata ORDER BY 2, 3")
    assert len(metadata) == len(TYPED)
    assert {row[0] for row in metadata} == {"app"} and all(row[4] == "t" for row in metadata)
    assert sorted(row[3] for row in metadata) == sorted(one["user"] for one in TYPED)


def test_upsert_keeps_the_last_event_of_each_key(start_penstock, postgres):
    server = start_penstock(config(postgres.port, 'mode = "upsert"\nkey = ["username"]'))

    send(server, 0, 4_000)
    wait_until_delivered(postgres, server)

    newest = {}
    for number in range(4_000):
        if number % MISFITS_EVERY != 11:
            newest[f"u{number % 37}"] = number
    assert {row[0]: int(row[1]) for row in postgres.sql("SELECT username, n FROM events")} == newest


def test_begins_from_the_start_when_its_offsets_are_deleted(start_penstock, postgres):
    server = start_penstock(config(postgres.port))
    send(server, 0, 10)
    wait_until_delivered(postgres, server)

    postgres.sql("DELETE FROM penstock_offsets")
    wait_until_delivered(postgres, server)  # without an event

    assert postgres.value("SELECT count(*) FROM events") == "20"
    assert "stopped for good" not in server.log_file.read_text()


def test_says_what_is_wrong_with_a_table_and_goes_on_when_it_is_mended(start_penstock, postgres):
    postgres.sql("CREATE TABLE events (n bigint, username text, amount text, happened_at timestamptz, ok boolean, "
                 "tags jsonb)")
    server = start_penstock(config(postgres.port))
    send(server, 0, 10)
    wait_until(lambda: "table events, column amount: is declared as numeric, but is text"
               in server.log_file.read_text(), server)
    assert postgres.value("SELECT count(*) FROM events") == "0"

    postgres.sql("ALTER TABLE events ALTER amount TYPE numeric USING amount::numeric")
    wait_until_delivered(postgres, server)

    assert postgres.value("SELECT count(*) FROM events") == "10"


def test_a_server_that_hangs_or_is_away_harms_nobody_else(start_penstock, postgres):
    other = """
[[topic]]
name = "other"

[[postgres]]
name = "second"
topic = "other"
connection = "host=127.0.0.1 port={port} user=app dbname=postgres sslmode=disable gssencmode=disable"
table = "others"
columns = ["/n:n:bigint"]
"""
    second = PostgresServer()
    try:
        second.start()
        postgres.sql(TABLE)
        server = start_penstock(config(postgres.port) + other.format(port=second.port))
        send(server, 0, 100)
        wait_until_delivered(postgres, server)
        postgres.signal_all(signal.SIGSTOP)
        send(server, 100, 5_000)
        server.accept_events("other", "\n".join(json.dumps({"n": n}) for n in range(1_000)))

        wait_until(lambda: server.metric("penstock_sink_rows_total", sink="second") == 1_000, server)
        wait_until(lambda: server.metric("penstock_sink_breaker_state", sink="db") == 1, server)
        assert server.metric("penstock_sink_lag_records", sink="db") == 5_000
        assert server.get("/health/ready")[0] == 200
        postgres.signal_all(signal.SIGCONT)
        wait_until_delivered(postgres, server)
        assert audit(postgres, server, 5_100) == []

        postgres.signal_all(signal.SIGSTOP)
        send(server, 5_100, 1_000)
        server.stop()
        postgres.signal_all(signal.SIGCONT)
    finally:
        second.remove()


def test_a_password_comes_from_outside_of_the_configuration(start_penstock, postgres):
    postgres.sql("CREATE ROLE sink LOGIN PASSWORD 'geheim'; GRANT ALL ON SCHEMA public TO sink")
    rules = postgres.folder / "data" / "pg_hba.conf"
    rules.write_text("host all sink 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
    postgres.sql("SELECT pg_reload_conf()")
    settings = config(postgres.port, 'password = "${env:SINK_PASSWORD}"').replace("user=app", "user=sink")

    server = start_penstock(settings, env={"SINK_PASSWORD": "geheim"})
    send(server, 0, 10)
    wait_until_delivered(postgres, server)

    assert postgres.value("SELECT count(*) FROM events") == "10"
    assert "geheim" not in server.log_file.read_text()
