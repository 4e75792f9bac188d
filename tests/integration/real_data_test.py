"""Real event data through the whole pipeline: in over HTTP in the shapes that senders use, then the
query API, the events API and the Parquet archive against what DuckDB says of the original files. On each log:
the embedded one, and three real Kafka brokers."""
import collections
import gzip
import json
import math
import time
import zlib

import duckdb
import pytest

import archive
import kafka_log

CONFIG = """
[[topic]]
name = "web_access"
partitions = 4
key = "/client_ip"
timestamp = "/ts"

[[topic]]
name = "iot_weather"
partitions = 2
key = "/device_id"
timestamp = "/ts"

[[topic]]
name = "github_webhooks"
partitions = 3

[[topic]]
name = "flights"
partitions = 4

[[topic]]
name = "earthquakes"
partitions = 2
key = "/id"
timestamp = "/properties/time"

[[aggregate]]
name = "status_by_hour"
topic = "web_access"
group_by = ["/status"]
window = "1h"
count = true
sum = ["/bytes"]

[[aggregate]]
name = "weather_by_day"
topic = "iot_weather"
group_by = ["/device_id"]
window = "1d"
count = true
avg = ["/temperature"]
min = ["/temperature", "/pressure"]
max = ["/temperature"]

[[aggregate]]
name = "webhooks_by_event"
topic = "github_webhooks"
group_by = ["/event"]
window = "1d"
count = true

[[aggregate]]
name = "flights_by_hour"
topic = "flights"
group_by = ["/time"]
window = "1d"
count = true
sum = ["/delay", "/distance"]

[[aggregate]]
name = "magnitudes"
topic = "earthquakes"
group_by = ["/properties/magType"]
window = "3650d"
grace = "3650d"
count = true
min = ["/properties/mag"]
max = ["/properties/mag"]
avg = ["/properties/mag"]

[[table]]
name = "last_reading"
topic = "iot_weather"
"""

TOPICS = {"web_access": "status_by_hour", "iot_weather": "weather_by_day",
          "github_webhooks": "webhooks_by_event", "flights": "flights_by_hour",
          "earthquakes": "magnitudes"}


def ndjson(lines):
    return b"\n".join(lines) + b"\n", {"Content-Type": "application/x-ndjson"}


def array(lines):
    return b"[" + b",".join(lines) + b"]", {"Content-Type": "application/json"}


def concatenated(lines):
    return b"".join(lines), {}


def gzipped(lines):
    return gzip.compress(b"\r\n".join(lines), 1), {"Content-Encoding": "gzip"}


def deflated(lines):
    return zlib.compress(b" ".join(lines), 1), {"Content-Encoding": "deflate",
                                                "Content-Type": "text/plain"}


SHAPES = [ndjson, array, concatenated, gzipped, deflated]


def post_file(server, topic, lines):
    """In order: a few events one by one, the rest in requests of several sizes and all shapes."""
    accepted, at, request = 0, 0, 0
    while at < len(lines):
        count = 1 if at < 20 else (7, 100, 1000)[request % 3]
        shape = SHAPES[request % len(SHAPES)]
        body, headers = shape(lines[at:at + count])
        answer = server.accept_events(topic, body, headers)
        assert answer["dead_lettered"] == 0 and answer["duplicates"] == 0, answer
        accepted += answer["accepted"]
        at, request = at + count, request + 1
    return accepted


def config_on(backend, request):
    if backend == "embedded":
        return '[log]\nbackend = "embedded"\n' + CONFIG
    # A graceful stop does not wait for ever for Kafka: what is to be looked at is archived before it.
    return kafka_log.config(request.getfixturevalue("shared_kafka_cluster"), "real-data",
                            CONFIG + '\n[archive]\nroll_interval = "1s"\n')


def wait_until_archived(server, seconds=180):
    deadline = time.monotonic() + seconds
    while lag := sum(server.metric("penstock_archive_lag_records", topic=topic) for topic in TOPICS):
        assert time.monotonic() < deadline, f"{lag} records are not archived:\n{server.log_tail()}"
        time.sleep(0.5)


@pytest.fixture(scope="module", params=["embedded", "kafka"])
def run(request, penstock_bin, sample_data, tmp_path_factory):
    """Everything that the tests below look at: posted, counted, read, stopped, archived."""
    from penstock_process import Penstock

    work = tmp_path_factory.mktemp(f"real-data-{request.param}")
    server = Penstock(penstock_bin, config_on(request.param, request), work / "data", work)
    server.start(60)
    try:
        result = collections.namedtuple("Run", "data work lines entries table events ends")(
            sample_data, work / "data", {}, {}, None, {}, {})
        for topic, store in TOPICS.items():
            result.lines[topic] = (sample_data / f"{topic}.ndjson").read_bytes().splitlines()
            assert post_file(server, topic, result.lines[topic]) == len(result.lines[topic])
            server.wait_until_counted(store, topic)
            result.entries[store] = list(server.entries(store))
            result.events[topic] = list(server.event_lines(topic))
            result.ends[topic] = server.log_ends(topic)
        result = result._replace(table=list(server.entries("last_reading")))
        if request.param == "kafka":
            wait_until_archived(server)
        server.stop(60)
        yield result
    finally:
        server.kill()


def original(run, topic, columns):
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"CREATE VIEW original AS SELECT * FROM read_json("
                       f"'{run.data}/{topic}.ndjson', format = 'newline_delimited', "
                       f"columns = {columns}, maximum_object_size = 4000000)")
    return connection


def values_of(line):
    """The value of a line of the events API, byte for byte."""
    return line[line.index(b'"value":') + len(b'"value":'):-1]


@pytest.mark.parametrize("topic", TOPICS)
def test_every_event_is_in_the_log_byte_for_byte(run, topic):
    stored = collections.Counter(values_of(line) for line in run.events[topic])

    assert stored == collections.Counter(run.lines[topic])


@pytest.mark.parametrize("topic", TOPICS)
def test_every_event_is_in_the_archive_byte_for_byte(run, topic):
    archived = collections.Counter(value.encode() for _, _, _, value in archive.rows(run.work, topic))

    assert archived == collections.Counter(run.lines[topic])
    assert archive.check_ranges(run.work, topic, run.ends[topic]) == []


@pytest.mark.parametrize("topic", TOPICS)
def test_duckdb_and_pyarrow_read_the_same_archive(run, topic):
    by_duckdb = archive.duckdb_of(run.work, topic).execute(
        'SELECT partition, "offset", key, value FROM archive ORDER BY 1, 2').fetchall()

    assert by_duckdb == archive.rows(run.work, topic)


@pytest.mark.parametrize("topic", ["web_access", "iot_weather", "earthquakes"])
def test_events_of_a_key_stay_in_order_in_one_partition(run, topic):
    pointer = {"web_access": ["client_ip"], "iot_weather": ["device_id"], "earthquakes": ["id"]}[topic]
    sent, stored, partitions = {}, {}, {}

    def key_of(event):
        for name in pointer:
            event = event[name]
        return event

    for line in run.lines[topic]:
        sent.setdefault(key_of(json.loads(line)), []).append(line)
    for line in run.events[topic]:
        record = json.loads(line)
        assert record["key"] == key_of(record["value"])
        stored.setdefault(record["key"], []).append(values_of(line))
        partitions.setdefault(record["key"], set()).add(record["partition"])

    assert stored == sent
    assert all(len(found) == 1 for found in partitions.values())


def test_web_access_counts_per_status_and_hour(run):
    rows = original(run, "web_access", "{ts: 'TIMESTAMPTZ', status: 'BIGINT', bytes: 'BIGINT'}").execute(
        "SELECT status, strftime(date_trunc('hour', ts), '%Y-%m-%dT%H:00:00.000Z'), count(*), "
        "sum(bytes)::BIGINT FROM original GROUP BY ALL").fetchall()
    expected = {(status, hour): (count, total) for status, hour, count, total in rows}

    counted = {(*entry["key"], entry["window_start"]): (entry["count"], entry["sum"]["/bytes"])
               for entry in run.entries["status_by_hour"]}
    assert counted == expected

    archived = archive.duckdb_of(run.work, "web_access").execute(
        "SELECT (value->>'status')::BIGINT, strftime(date_trunc('hour', timestamp), "
        "'%Y-%m-%dT%H:00:00.000Z'), count(*), sum((value->>'bytes')::BIGINT)::BIGINT "
        "FROM archive GROUP BY ALL").fetchall()
    assert {(s, h): (c, t) for s, h, c, t in archived} == expected


def test_iot_weather_readings_per_day(run):
    query = ("SELECT {device}, strftime({day}, '%Y-%m-%dT00:00:00.000Z'), count(*), avg({t}), min({t}), "
             "max({t}), min({p}) FROM {source} GROUP BY ALL")
    rows = original(run, "iot_weather", "{device_id: 'VARCHAR', ts: 'TIMESTAMP', pressure: 'DOUBLE', "
                    "temperature: 'DOUBLE'}").execute(query.format(
                        device="device_id", day="date_trunc('day', ts)", t="temperature", p="pressure",
                        source="original")).fetchall()
    expected = {row[:2]: row[2:] for row in rows}
    counted = {(*entry["key"], entry["window_start"]):
               (entry["count"], entry["avg"]["/temperature"], entry["min"]["/temperature"],
                entry["max"]["/temperature"], entry["min"]["/pressure"])
               for entry in run.entries["weather_by_day"]}
    archived = archive.duckdb_of(run.work, "iot_weather").execute(query.format(
        device="value->>'device_id'", day="date_trunc('day', timestamp)",
        t="(value->>'temperature')::DOUBLE", p="(value->>'pressure')::DOUBLE", source="archive"))

    assert len(expected) == 365
    for found in (counted, {row[:2]: row[2:] for row in archived.fetchall()}):
        assert found.keys() == expected.keys()
        for day, (count, average, *extremes) in expected.items():
            assert found[day][0] == count
            assert math.isclose(found[day][1], average, rel_tol=1e-12, abs_tol=1e-12)
            assert list(found[day][2:]) == extremes


def test_the_table_holds_the_last_reading(run):
    assert [entry["key"] for entry in run.table] == [["seattle"]]
    assert run.table[0]["value"] == json.loads(run.lines["iot_weather"][-1])


def test_github_webhooks_per_event(run):
    expected = dict(original(run, "github_webhooks", "{event: 'VARCHAR'}").execute(
        "SELECT event, count(*) FROM original GROUP BY ALL").fetchall())
    counted = collections.Counter()
    for entry in run.entries["webhooks_by_event"]:  # two windows, if midnight passed meanwhile
        counted[entry["key"][0]] += entry["count"]
    archived = dict(archive.duckdb_of(run.work, "github_webhooks").execute(
        "SELECT value->>'event', count(*) FROM archive GROUP BY ALL").fetchall())

    assert counted == expected
    assert archived == expected


def test_flights_sums(run):
    columns = "{delay: 'BIGINT', distance: 'BIGINT', time: 'DOUBLE'}"
    connection = original(run, "flights", columns)
    by_hour = connection.execute("SELECT time, count(*), sum(delay)::BIGINT, sum(distance)::BIGINT "
                                 "FROM original GROUP BY ALL").fetchall()
    counted = collections.defaultdict(lambda: [0, 0, 0])
    for entry in run.entries["flights_by_hour"]:
        sums = counted[entry["key"][0]]
        for i, number in enumerate((entry["count"], entry["sum"]["/delay"], entry["sum"]["/distance"])):
            assert isinstance(number, int)
            sums[i] += number

    assert counted == {time: list(sums) for time, *sums in by_hour}

    bands = ("SELECT least({distance} // 500, 5) AS band, count(*), sum({delay})::BIGINT, "
             "sum({distance})::BIGINT FROM {source} GROUP BY ALL ORDER BY ALL")
    expected = connection.execute(bands.format(distance="distance", delay="delay",
                                               source="original")).fetchall()
    archived = archive.duckdb_of(run.work, "flights").execute(bands.format(
        distance="(value->>'distance')::BIGINT", delay="(value->>'delay')::BIGINT",
        source="archive")).fetchall()
    assert len(expected) == 6
    assert archived == expected


def test_earthquake_magnitudes(run):
    query = "SELECT {kind}, count(*), min({mag}), max({mag}), avg({mag}) FROM {source} GROUP BY ALL"
    rows = original(run, "earthquakes", "{properties: 'STRUCT(mag DOUBLE, magType VARCHAR)'}").execute(
        query.format(kind="properties.magType", mag="properties.mag", source="original")).fetchall()
    archived = archive.duckdb_of(run.work, "earthquakes").execute(query.format(
        kind="value->'properties'->>'magType'", mag="(value->'properties'->>'mag')::DOUBLE",
        source="archive")).fetchall()
    counted = [(entry["key"][0], entry["count"], entry["min"]["/properties/mag"],
                entry["max"]["/properties/mag"], entry["avg"]["/properties/mag"])
               for entry in run.entries["magnitudes"]]

    assert len(rows) == 7
    for found in (counted, archived):
        assert len(found) == len(rows)
        for got, expected in zip(sorted(found), sorted(rows)):
            assert got[:4] == expected[:4]
            assert math.isclose(got[4], expected[4], rel_tol=1e-12)


def test_event_times_are_those_of_the_events(run):
    wrong = archive.duckdb_of(run.work, "web_access").execute(
        "SELECT count(*) FROM archive WHERE timestamp != (value->>'ts')::TIMESTAMPTZ").fetchone()
    folders = archive.duckdb_of(run.work, "web_access").execute(
        "SELECT count(*) FROM archive WHERE strftime(ingest_time, '%Y-%m-%d') != dt::VARCHAR").fetchone()

    assert wrong == (0,)
    assert folders == (0,)
