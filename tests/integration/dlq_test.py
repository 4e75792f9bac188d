"""Bad events wait in the dead letter topic, with their bytes untouched, and can be sent again."""
import base64
import collections
import json
import subprocess
import time

CONFIG = """
[log]
backend = "embedded"

[ingest]
event_size_max = "64KiB"
depth_max = 20

[[topic]]
name = "orders"
partitions = 2
key = "/user"
"""
RELAXED = CONFIG.replace('key = "/user"', 'key = "/user"\nkey_required = false')

GOOD = b'{"user":"u","n":1}'
BAD = {
    "invalid_json": b'{"user":"u",}',
    "invalid_utf8": b'{"user":"\xff"}',
    "missing_key": b'{"n":2}',
    "too_deep": b'{"user":"u","a":' + b"[" * 30 + b"]" * 30 + b"}",
    "too_large": b'{"user":"u","a":"' + b"x" * 70_000 + b'"}',
    "not_an_object": b'"text"',
}


def value_bytes(value):
    if isinstance(value, dict) and set(value) == {"base64"}:
        return base64.b64decode(value["base64"])
    return value.encode() if isinstance(value, str) else None


def dlq(server, penstock_bin, *arguments):
    return subprocess.run([penstock_bin, "dlq", *arguments, "--url", f"http://127.0.0.1:{server.port}"],
                          capture_output=True, text=True, timeout=60)


def send_good_and_bad(server):
    """One request of good events with every kind of bad one between them."""
    lines = [line for bad in BAD.values() for line in (GOOD, bad)]
    return server.accept_events("orders", b"\n".join(lines))


def test_bad_events_become_dead_letters_and_good_ones_go_on(start_penstock):
    server = start_penstock(CONFIG)

    answer = send_good_and_bad(server)

    assert (answer["accepted"], answer["dead_lettered"]) == (len(BAD), len(BAD))
    assert [(error["index"], error["code"]) for error in answer["errors"]] == \
        [(2 * i + 1, code) for i, code in enumerate(BAD)]
    assert all(error["message"] for error in answer["errors"])
    assert sum(server.log_ends("orders").values()) == len(BAD)


def test_a_dead_letter_has_the_original_bytes_and_says_what_was_wrong(start_penstock):
    server = start_penstock(CONFIG)
    send_good_and_bad(server)

    letters = server.events("orders.dlq")

    assert [letter["headers"]["penstock.dlq.code"] for letter in letters] == list(BAD)
    for index, (letter, bad) in enumerate(zip(letters, BAD.values())):
        headers = letter["headers"]
        if bad == BAD["not_an_object"]:
            assert letter["value"] == json.loads(bad)  # JSON is shown as it is
        else:
            original = value_bytes(letter["value"])
            assert original == bad or (original is None and letter["value"] == json.loads(bad))
        assert letter["key"] is None
        assert headers["penstock.dlq.index"] == str(2 * index + 1)
        assert headers["penstock.dlq.topic"] == "orders"
        assert headers["penstock.dlq.source"] == "127.0.0.1"
        assert headers["penstock.dlq.time"].endswith("Z")
        assert headers["penstock.dlq.message"]
        assert not any(name.startswith("__penstock.") for name in headers)


def test_dead_letters_survive_a_kill(start_penstock):
    server = start_penstock(CONFIG)
    send_good_and_bad(server)

    server.kill()
    server.start()

    assert len(server.events("orders.dlq")) == len(BAD)


def test_a_body_in_which_no_event_can_be_told_apart_is_refused(start_penstock):
    server = start_penstock(CONFIG)

    for body in (b"", b"   \n", b"user=u&n=1", b"<xml/>"):
        status, answer = server.post_events("orders", body)
        assert status == 400, body
        assert set(answer) == {"code", "message"}
    assert sum(server.log_ends("orders.dlq").values()) == 0


def test_list_counts_dead_letters_by_topic_and_reason(start_penstock, penstock_bin):
    server = start_penstock(CONFIG)
    send_good_and_bad(server)
    server.accept_events("orders", GOOD + b"\n" + BAD["missing_key"])

    listed = dlq(server, penstock_bin, "list")

    assert listed.returncode == 0, listed.stderr
    for code in BAD:
        line = next(line for line in listed.stdout.splitlines() if code in line)
        assert "orders" in line
        assert ("2" if code == "missing_key" else "1") in line.split()


def test_stats_count_by_reason_and_hour(start_penstock, penstock_bin):
    server = start_penstock(CONFIG)
    send_good_and_bad(server)
    server.accept_events("orders", GOOD + b"\n" + BAD["missing_key"])

    answer = server.get_json("/v1/dead-letters?topic=orders")
    shown = dlq(server, penstock_bin, "stats", "--code", "missing_key")

    assert answer["complete"] is True
    [orders] = answer["topics"]
    assert orders["count"] == len(BAD) + 1 == sum(hour["count"] for hour in orders["hours"])
    assert {reason["code"]: reason["count"] for reason in orders["reasons"]} == \
        {code: 2 if code == "missing_key" else 1 for code in BAD}
    assert orders["oldest"] <= orders["newest"]
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("orders: 2 dead letters from ")
    assert server.get("/v1/dead-letters?topic=none")[0] == 404


def test_show_prints_the_letters_that_are_asked_for(start_penstock, penstock_bin):
    server = start_penstock(CONFIG)
    send_good_and_bad(server)

    shown = dlq(server, penstock_bin, "show", "--topic", "orders", "--code", "missing_key")

    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert len(lines) == 1
    assert '"n":2' in lines[0].replace("\\", "")


def test_a_dry_run_replays_nothing(start_penstock, penstock_bin):
    server = start_penstock(CONFIG)
    send_good_and_bad(server)

    done = dlq(server, penstock_bin, "replay", "--topic", "orders", "--dry-run")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"would replay:\norders: {len(BAD)} dead letters from ")
    assert "1  missing_key\n" in done.stdout and ":00:00.000Z  ####" in done.stdout
    assert sum(server.log_ends("orders").values()) == len(BAD)
    assert sum(server.log_ends("orders.dlq").values()) == len(BAD)


def test_what_was_put_right_is_replayed_once(start_penstock, penstock_bin, tmp_path):
    server = start_penstock(CONFIG)
    send_good_and_bad(server)
    server.stop()
    server.config_file.write_text(RELAXED)  # now a key is not needed
    server.start()

    for _ in range(2):  # the second replay finds that everything was sent already
        done = dlq(server, penstock_bin, "replay", "--topic", "orders", "--code", "missing_key")
        assert done.returncode == 0, done.stderr

    values = [event["value"] for event in server.events("orders")]
    assert values.count({"n": 2}) == 1
    assert len(values) == len(BAD) + 1


def test_replays_that_fail_again_come_to_an_end(start_penstock, penstock_bin):
    server = start_penstock(CONFIG)
    server.accept_events("orders", GOOD + b"\n" + BAD["missing_key"])

    for _ in range(8):
        done = dlq(server, penstock_bin, "replay", "--topic", "orders")
        assert done.returncode == 0, done.stderr

    replays = [int(letter["headers"].get("penstock.dlq.replays", "0"))
               for letter in server.events("orders.dlq")]
    assert sorted(replays) == [0, 1, 2, 3]
    assert "1 left in quarantine" in done.stdout


def replay_over_http(server, offset, **body):
    status, _, answer = server.request("POST", f"/v1/dead-letters/orders/{offset}/replay", json.dumps(body))
    return status, json.loads(answer)


def test_a_letter_is_edited_checked_again_and_replayed_once_over_http(start_penstock):
    server = start_penstock(CONFIG)
    server.accept_events("orders", b'{"n":1.50}\n{"n":2}\n{"user":"u",}')
    add_key = [{"op": "add", "path": "/user", "value": "ann"}]

    listed = server.get_json("/v1/dead-letters/orders?code=missing_key")
    refused = replay_over_http(server, 0, by="ann")
    accepted = replay_over_http(server, 1, patch=add_key, by="ann")
    again = replay_over_http(server, 1, patch=add_key, by="ann")

    assert [(letter["offset"], letter["event"]) for letter in listed["letters"]] == [(0, '{"n":1.50}'), (1, '{"n":2}')]
    assert refused[0] == 200 and refused[1]["dead_lettered"] == 1
    assert accepted == (200, {"accepted": 1, "duplicates": 0, "dead_lettered": 0, "errors": []})
    assert again == (200, {"accepted": 0, "duplicates": 1, "dead_lettered": 0, "errors": []})
    assert [event["value"] for event in server.events("orders")] == [{"n": 2, "user": "ann"}]
    assert server.events("orders")[0]["headers"]["penstock.dlq.replays"] == "1"
    assert replay_over_http(server, 2, patch=add_key)[0] == 422  # no JSON: nothing to edit
    assert replay_over_http(server, 0, patch=[{"op": "remove", "path": "/x"}])[0] == 422
    assert replay_over_http(server, 0, patch=[{"op": "cut", "path": "/x"}])[0] == 400
    assert replay_over_http(server, 0, patches=[])[0] == 400
    assert replay_over_http(server, 99)[0] == 404
    assert server.request("POST", "/v1/dead-letters/none/0/replay", "")[0] == 404
    # The replay that failed is a dead letter anew, of the same client.
    [new] = server.get_json("/v1/dead-letters/orders?offset=3")["letters"]
    assert (new["replays"], new["source"], new["event"]) == (1, "127.0.0.1", '{"n":1.50}')


def test_quarantine_is_left_only_on_purpose(start_penstock, penstock_bin):
    server = start_penstock(CONFIG.replace("[ingest]", "[ingest]\ndead_letter_replays_max = 1"))
    server.accept_events("orders", GOOD + b"\n" + BAD["missing_key"])
    assert replay_over_http(server, 0)[1]["dead_lettered"] == 1

    status, answer = replay_over_http(server, 1)

    assert (status, answer["code"]) == (409, "quarantined")
    assert server.get_json("/v1/dead-letters?quarantined=true")["topics"][0]["count"] == 1
    assert [line["offset"] for line in map(json.loads, dlq(server, penstock_bin, "show", "--quarantined")
                                           .stdout.splitlines())] == [1]
    assert replay_over_http(server, 1, quarantined=True)[1]["dead_lettered"] == 1


def test_a_replay_that_is_killed_goes_on_and_replays_nothing_twice(start_penstock, penstock_bin, tmp_path):
    count = 3_000
    server = start_penstock(CONFIG.replace("[ingest]", "[ingest]\nidempotency_count = 10"))
    server.accept_events("orders", b"\n".join(b'{"n":%d}' % n for n in range(count)))
    patch = tmp_path / "patch.json"
    patch.write_text('[{"op": "add", "path": "/user", "value": "ann"}]')
    kills = 0

    while True:
        replay = subprocess.Popen([penstock_bin, "dlq", "replay", "--topic", "orders", "--patch", str(patch),
                                   "--by", "ann", "--url", f"http://127.0.0.1:{server.port}"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if kills < 5:
            before = sum(server.log_ends("orders").values())
            deadline = time.monotonic() + 30
            while sum(server.log_ends("orders").values()) < before + 150 and time.monotonic() < deadline:
                time.sleep(0.005)
            server.kill()
            replay.wait(30)
            server.start()
            kills += 1
            continue
        out, errors = replay.communicate(timeout=120)
        assert replay.returncode == 0, errors
        break

    found = collections.Counter(event["value"]["n"] for event in server.events("orders"))
    assert found == dict.fromkeys(range(count), 1)
    assert f"replayed {count} missing_key" in out
    actions = [json.loads(line) for line in dlq(server, penstock_bin, "audit").stdout.splitlines()]
    assert sorted(action["offset"] for action in actions) == list(range(count))
    assert {(action["action"], action["by"], action["edited"], action["outcome"]) for action in actions} == \
        {("replay", "ann", True, "accepted")}


def test_purge_removes_the_older_letters_for_good(start_penstock, penstock_bin):
    server = start_penstock(CONFIG)
    server.accept_events("orders", b'{"n":1}\n{"n":2}')
    dry = dlq(server, penstock_bin, "purge", "--topic", "orders", "--dry-run")
    none = dlq(server, penstock_bin, "purge", "--topic", "orders", "--until", "2020-01-01T00:00:00Z")

    assert dry.stdout.startswith("would purge:\norders: 2 dead letters from ")
    assert none.stdout == "purged 0 dead letters of orders\n"
    assert len(server.events("orders.dlq")) == 2
    done = dlq(server, penstock_bin, "purge", "--topic", "orders", "--by", "ann")
    assert done.stdout == "purged 2 dead letters of orders\n", done.stderr
    assert server.events("orders.dlq") == []
    server.kill()
    server.start()
    assert server.events("orders.dlq") == []
    assert replay_over_http(server, 0)[0] == 404
    action = json.loads(dlq(server, penstock_bin, "audit").stdout.splitlines()[-1])
    assert (action["action"], action["start"], action["before"], action["by"]) == ("purge", 0, 2, "ann")
    server.accept_events("orders", b'{"n":3}')
    assert [event["offset"] for event in server.events("orders.dlq")] == [2]
    assert server.imbalance() == 0
