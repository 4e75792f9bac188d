"""The read side over the wire: topics, events, stores, health, metrics."""
import json
import urllib.parse

import pytest

pytestmark = pytest.mark.sanitized
CONFIG = """
[log]
backend = "embedded"

[[topic]]
name = "web"
partitions = 4
key = "/user"
timestamp = "/ts"

[[aggregate]]
name = "by_status"
topic = "web"
group_by = ["/status", "/path"]
window = "1h"
grace = "365d"
count = true
sum = ["/bytes"]
min = ["/bytes"]
max = ["/bytes"]
avg = ["/bytes"]

[[table]]
name = "latest"
topic = "web"
"""
HOUR = 3_600_000
EVENTS = [{"user": f"u{n % 10}", "ts": n * HOUR // 4, "status": [200, 404, "200", True][n % 4],
           "path": "/a b/%" if n % 3 else "/", "bytes": n} for n in range(200)]


@pytest.fixture(scope="module")
def server(penstock_bin, tmp_path_factory):
    from penstock_process import Penstock

    work = tmp_path_factory.mktemp("console")
    server = Penstock(penstock_bin, CONFIG, work / "data", work)
    server.start()
    try:
        server.accept_events("web", "\n".join(json.dumps(event) for event in EVENTS))
        server.wait_until_counted("by_status", "web")
        yield server
    finally:
        server.kill()


def expected(matches=lambda event: True):
    """[(key, window start ms, count, sum, min, max, avg)]"""
    groups = {}
    for event in filter(matches, EVENTS):
        key = (json.dumps([event["status"], event["path"]]), event["ts"] // HOUR)
        groups.setdefault(key, []).append(event["bytes"])
    return sorted((key, hour, len(b), sum(b), min(b), max(b), sum(b) / len(b))
                  for (key, hour), b in groups.items())


def found(entries):
    import datetime

    def hour(text):
        return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000) // HOUR

    return sorted((json.dumps(e["key"]), hour(e["window_start"]), e["count"], e["sum"]["/bytes"],
                   e["min"]["/bytes"], e["max"]["/bytes"], e["avg"]["/bytes"]) for e in entries)


def test_a_store_lists_every_group_and_window(server):
    entries = list(server.entries("by_status"))

    assert found(entries) == expected()
    assert all(e["window_end"] > e["window_start"] for e in entries)


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_pages_together_are_the_whole(server, limit):
    cursor, entries = "", []
    while cursor is not None:
        page = server.get_json(f"/v1/stores/by_status?limit={limit}&cursor={cursor}")
        assert len(page["entries"]) <= limit
        entries += page["entries"]
        cursor = page["cursor"]

    assert entries == list(server.entries("by_status"))


@pytest.mark.parametrize("segment, statuses", [
    ("404", [404]), ("200", [200, "200"]), ('"200"', ["200"]), ("true", [True]), ("nope", [])])
def test_a_key_is_found_by_its_text(server, segment, statuses):
    path = "/v1/stores/by_status/" + urllib.parse.quote(segment, safe="") + "/" + \
        urllib.parse.quote("/a b/%", safe="")

    entries = server.get_json(path + "?limit=1000")["entries"]

    # Python's True == 1, JSON's does not.
    wanted = [json.dumps(status) for status in statuses]
    assert found(entries) == expected(
        lambda event: event["path"] == "/a b/%" and json.dumps(event["status"]) in wanted)


def test_windows_are_found_by_range(server):
    entries = list(server.entries("by_status", **{"from": 10 * HOUR, "to": "1970-01-01T20:00:00Z"}))

    assert found(entries) == expected(lambda event: 10 <= event["ts"] // HOUR < 20)


def test_an_answer_says_how_complete_it_is(server):
    page = server.get_json("/v1/stores/by_status?limit=1")

    assert {int(p): o for p, o in page["complete_to"]["web"].items()} == server.log_ends("web")


def test_a_table_holds_the_latest_event_of_each_key(server):
    latest = {entry["key"][0]: entry["value"] for entry in server.entries("latest")}

    assert latest == {event["user"]: event for event in EVENTS}


def test_stores_are_described(server):
    stores = {store["name"]: store for store in server.get_json("/v1/stores")["stores"]}

    assert stores["by_status"]["group_by"] == ["/status", "/path"]
    assert stores["by_status"]["window_ms"] == HOUR
    assert stores["by_status"]["entries"] == len(expected())
    assert stores["latest"]["kind"] == "table"
    assert stores["latest"]["entries"] == 10


def test_events_can_be_read_by_page_and_from_the_end(server):
    status, headers, body = server.request("GET", "/v1/topics/web/events?partition=1&limit=3")
    first = [json.loads(line) for line in body.splitlines()]
    next_offset = headers["Penstock-Next-Offset"]
    rest = [json.loads(line) for line in server.request(
        "GET", f"/v1/topics/web/events?partition=1&offset={next_offset}&limit=10000")[2].splitlines()]
    last = [json.loads(line) for line in server.request(
        "GET", "/v1/topics/web/events?partition=1&offset=-2")[2].splitlines()]

    assert status == 200 and headers["Content-Type"] == "application/x-ndjson"
    assert [event["offset"] for event in first + rest] == list(range(server.log_ends("web")[1]))
    assert last == (first + rest)[-2:]


def test_what_does_not_exist_is_named(server):
    for path, code in (("/v1/topics/nope", "unknown_topic"), ("/v1/topics/nope/events", "unknown_topic"),
                       ("/v1/stores/nope", "unknown_store"), ("/v1/stores/nope/key", "unknown_store")):
        status, text = server.get(path)
        assert status == 404
        answer = json.loads(text)
        assert answer["code"] == code and "nope" in answer["message"]


@pytest.mark.parametrize("path, named", [
    ("/v1/topics/web/events?limit=many", "limit"), ("/v1/topics/web/events?partition=4", "partition"),
    ("/v1/topics/web/events?offset=x", "offset"), ("/v1/topics/web/events?ofset=1", "ofset"),
    ("/v1/stores/by_status?limit=0", "limit"), ("/v1/stores/by_status?from=yesterday", "from"),
    ("/v1/stores/by_status?cursor=!!", "cursor"), ("/v1/stores/by_status/a/b/c", "")])
def test_what_is_wrong_is_named(server, path, named):
    status, text = server.get(path)

    assert status == 400
    assert named in json.loads(text)["message"]


def test_other_methods_are_refused(server):
    status, headers, body = server.request("DELETE", "/v1/topics")

    assert status == 405
    assert "GET" in headers["Allow"]
    assert set(json.loads(body)) == {"code", "message"}


def test_health_metrics_and_index_answer(server):
    assert server.get("/health/live")[0] == 200
    assert server.get("/health/ready")[0] == 200
    assert "/v1/stores" in server.get("/")[1]
    status, headers, body = server.request("GET", "/metrics")
    assert status == 200 and headers["Content-Type"].startswith("text/plain")
    assert b"\n# TYPE penstock_" in body


def test_metrics_hold_the_identity_of_counts(server):
    assert server.metric("penstock_ingest_events_total", topic="web", outcome="accepted") == len(EVENTS)
    assert sum(server.log_ends("web").values()) == len(EVENTS)
