"""A destination that is five times too slow for a while: memory stays bounded, other sinks and the gateway go on at
full speed, and it catches up when it is fast again. Ten seconds; five minutes with PENSTOCK_TEST_FULL=1."""
import json
import time

import pytest

from postgres_server import PostgresServer
from throttling_proxy import ThrottlingProxy
from waiting import wait_until

CONFIG = """
[log]
segment_size = "16MiB"
tail_size = "16MiB"

[http]
body_size_max = "2MiB"
memory_max = "64MiB"

[archive]
enabled = false

[[topic]]
name = "app"
partitions = 4
key = "/user"

[[postgres]]
name = "slow"
topic = "app"
connection = "host=127.0.0.1 port={slow} {user}"
table = "slow_events"
columns = ["/n:n:bigint:not null", "/pad:pad:text"]
batch_rows_max = 500
request_timeout = "1m"

[[postgres]]
name = "fast"
topic = "app"
connection = "host=127.0.0.1 port={fast} {user}"
table = "fast_events"
columns = ["/n:n:bigint:not null", "/pad:pad:text"]
batch_rows_max = 500
"""
USER = "user=app dbname=postgres sslmode=disable gssencmode=disable"
EVENTS_PER_SECOND = 2_000
WARM_UP = 5_000
PAD = "x" * 1_000
MEMORY_GROWTH_MAX = 96 * 1024 * 1024


@pytest.fixture
def postgres():
    server = PostgresServer()
    server.start()
    yield server
    server.remove()


def send(server, first, count):
    body = "\n".join(json.dumps({"n": n, "user": f"u{n % 37}", "pad": PAD}) for n in range(first, first + count))
    begun = time.monotonic()
    assert server.accept_events("app", body)["accepted"] == count
    return time.monotonic() - begun


def memory(server):
    return server.metric("penstock_process_resident_memory_bytes")


def test_a_destination_that_is_five_times_too_slow_harms_nobody_and_catches_up(start_penstock, postgres, full_run):
    seconds = 300 if full_run else 10
    proxy = ThrottlingProxy(postgres.port)
    server = start_penstock(CONFIG.format(slow=proxy.port, fast=postgres.port, user=USER))
    sent = 0
    while sent < WARM_UP:
        send(server, sent, 500)
        sent += 500
    for sink in ("slow", "fast"):
        wait_until(lambda: server.metric("penstock_sink_rows_total", sink=sink) == sent, server)
    bytes_of_a_row = proxy.passed / sent
    before = memory(server)

    proxy.bytes_per_second = EVENTS_PER_SECOND / 5 * bytes_of_a_row
    fast_lag, answer_time, most = 0, 0.0, 0
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        answer_time = max(answer_time, send(server, sent, EVENTS_PER_SECOND // 10))
        sent += EVENTS_PER_SECOND // 10
        fast_lag = max(fast_lag, sent - server.metric("penstock_sink_rows_total", sink="fast"))
        most = max(most, memory(server))
        time.sleep(max(0.0, begun + (sent - WARM_UP) / EVENTS_PER_SECOND - time.monotonic()))
    lag = sent - server.metric("penstock_sink_rows_total", sink="slow")
    offered = sent - WARM_UP
    print(f"{offered} events in {time.monotonic() - begun:.0f} s; behind: slow {lag:.0f}, fast at most {fast_lag:.0f}; "
          f"answers took {answer_time * 1000:.0f} ms at most; memory grew {(most - before) / 2 ** 20:.0f} MiB")

    assert lag > offered / 2, "the destination was not too slow: this test shows nothing"
    assert fast_lag < offered / 4
    assert most - before < MEMORY_GROWTH_MAX
    assert server.metric("penstock_sink_breaker_state", sink="fast") == 0
    assert server.get("/health/ready")[0] == 200

    proxy.bytes_per_second = None
    wait_until(lambda: server.metric("penstock_sink_rows_total", sink="slow") == sent, server, seconds=max(60, seconds))
    assert memory(server) - before < MEMORY_GROWTH_MAX
    for table in ("slow_events", "fast_events"):
        assert postgres.sql(f"SELECT count(*), count(DISTINCT n) FROM {table}") == [[str(sent), str(sent)]]
    proxy.close()
