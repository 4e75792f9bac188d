"""The PostgreSQL sink with a real streaming replica: queries that say how old their answer is, and what a failover to
the replica loses: nothing where replication is synchronous; else a stretch, which the log gives again."""
import collections
import signal

import pytest

from postgres_server import PostgresServer
from sink_config import SMALL
from table_events import COLUMNS, CONSTRAINT, audit_table, dead_letters, is_bad, send
from waiting import wait_until

CONFIG = SMALL + """
[circuit_breaker]
sliding_window_size = 10
minimum_number_of_calls = 6
wait_duration_in_open_state = "200ms"
permitted_number_of_calls_in_half_open_state = 2

[[topic]]
name = "app"
partitions = 4
key = "/user"

[[postgres]]
name = "db"
topic = "app"
connection = "host=127.0.0.1,127.0.0.1 port={primary},{replica} target_session_attrs=read-write {user}"
replica = "host=127.0.0.1 port={replica} {user}"
read_from = "replica"
table = "events"
columns = {columns}
batch_rows_max = 200
batch_time_max = "20ms"
retry_wait_min = "5ms"
retry_wait_max = "100ms"
connect_timeout = "1s"
request_timeout = "2s"
"""
USER = "user=app dbname=postgres sslmode=disable gssencmode=disable"
TABLE = f"""CREATE TABLE events (n bigint NOT NULL CHECK ({CONSTRAINT}), username text NOT NULL, amount numeric,
           happened_at timestamptz, ok boolean, tags jsonb)"""

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


@pytest.fixture
def servers():
    """(primary, replica)"""
    started = []
    try:
        primary = PostgresServer()
        started.append(primary)
        primary.start()
        primary.sql(TABLE)
        replica = PostgresServer(primary)
        started.append(replica)
        replica.start()
        yield primary, replica
    finally:
        for server in started:
            server.remove()


def config(primary, replica):
    return CONFIG.format(primary=primary.port, replica=replica.port, columns=COLUMNS, user=USER)


def stored(postgres):
    if postgres.value("SELECT to_regclass('penstock_offsets') IS NULL") == "t":
        return 0
    return int(postgres.value("SELECT coalesce(sum(next_offset), 0) FROM penstock_offsets WHERE sink = 'db'"))


def wait_until_delivered(postgres, server):
    wait_until(lambda: stored(postgres) == sum(server.log_ends("app").values()), server)


def numbers(postgres):
    return [int(row[0]) for row in postgres.sql("SELECT n FROM events")]


def positions(postgres):
    return {int(row[0]): int(row[1])
            for row in postgres.sql("SELECT partition, next_offset FROM penstock_offsets WHERE sink = 'db'")}


def test_queries_go_to_the_replica_and_say_how_old_their_answer_is(start_penstock, servers):
    primary, replica = servers
    server = start_penstock(config(primary, replica))
    send(server, 20, 100)
    wait_until_delivered(replica, server)
    replica.sql("SELECT pg_wal_replay_pause()")
    send(server, 120, 50)
    wait_until_delivered(primary, server)

    old = server.get_json("/v1/tables/db?limit=1000")
    new = server.get_json("/v1/tables/db?limit=1000&read-from=primary")
    one = server.get_json("/v1/tables/db?n=21&username=u21")

    assert (old["read_from"], old["behind_records"], len(old["rows"])) == ("replica", 50, 100)
    assert sum(old["complete_to"]["app"].values()) == 100
    assert old["replay_lag_seconds"] > 0
    assert (new["read_from"], new["behind_records"], len(new["rows"])) == ("primary", 0, 150)
    assert new["replay_lag_seconds"] is None
    assert one["rows"] == [{"n": 21, "username": "u21", "amount": 21.21, "ok": False,
                            "happened_at": one["rows"][0]["happened_at"], "tags": {"a": [21, None]}}]
    replica.sql("SELECT pg_wal_replay_resume()")
    wait_until(lambda: server.get_json("/v1/tables/db?limit=1")["behind_records"] == 0, server)


def test_queries_that_cannot_be_answered_say_why(start_penstock, servers):
    primary, replica = servers
    server = start_penstock(config(primary, replica))
    send(server, 20, 1)
    wait_until_delivered(replica, server)

    assert server.get("/v1/tables/none")[0] == 404
    for query in ("n=x", "m=1", "limit=0", "limit=x", "read-from=moon"):
        assert server.get(f"/v1/tables/db?{query}")[0] == 400, query
    assert server.get_json("/v1/tables/db")["rows"][0]["n"] == 20  # and the next is answered again
    replica.kill()
    assert server.get("/v1/tables/db")[0] == 503
    assert server.get_json("/v1/tables/db?read-from=primary")["rows"][0]["n"] == 20
    replica.start()
    assert server.get_json("/v1/tables/db")["rows"][0]["n"] == 20


def test_a_failover_to_a_synchronous_replica_loses_nothing(start_penstock, servers):
    primary, replica = servers
    primary.replicate_synchronously()
    server = start_penstock(config(primary, replica))
    send(server, 0, 10_000)
    wait_until_delivered(primary, server)
    replica.signal_all(signal.SIGSTOP)
    send(server, 10_000, 10_000)
    wait_until(lambda: primary.value(WAITING) != "0", server)  # a commit, for the replica

    primary.kill()
    replica.signal_all(signal.SIGCONT)
    at = stored(replica)
    replica.promote()
    send(server, 20_000, 5_000)
    wait_until_delivered(replica, server)

    assert at < 20_000  # in the middle of it
    assert audit_table(server, 25_000, numbers(replica), dead_letters(server, "events_n_check"),
                       positions(replica)) == []
    assert server.metric("penstock_sink_up", sink="db") == 1
    assert server.get_json("/v1/tables/db?read-from=primary&limit=1")["behind_records"] == 0


def test_a_failover_to_an_asynchronous_replica_loses_a_stretch_that_the_log_gives_again(start_penstock, servers):
    primary, replica = servers
    server = start_penstock(config(primary, replica))
    send(server, 0, 2_000)
    wait_until_delivered(replica, server)
    replica.kill()  # it falls behind, and nobody waits for it
    send(server, 2_000, 6_000)
    wait_until_delivered(primary, server)
    delivered = stored(primary)

    primary.kill()
    replica.start()
    lost = delivered - stored(replica)
    replica.promote()
    print(f"the failover has lost {lost} of {delivered} delivered events")
    wait_until_delivered(replica, server)

    assert lost == 6_000
    rows = collections.Counter(numbers(replica))
    assert rows == {number: 1 for number in range(8_000) if not is_bad(number)}
    assert positions(replica) == server.log_ends("app")
    # What was a dead letter in that stretch is one twice: the log has not lost it.
    letters = collections.Counter(dead_letters(server, "events_n_check"))
    assert set(letters) == {number for number in range(8_000) if is_bad(number)}
    assert max(letters.values()) == 2
