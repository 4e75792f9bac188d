"""Duplicates are answered as such and never reach the log twice, also across kill -9."""
import json

CONFIG = """
[log]
backend = "embedded"

[[topic]]
name = "orders"
partitions = 3
key = "/user"
id = "/id"

[[topic]]
name = "small"
partitions = 1
id = "/id"
dedup_count = 100

[[topic]]
name = "plain"
partitions = 2
"""


def order(number, user="u"):
    return json.dumps({"id": f"order-{number}", "user": user, "n": number})


def total(server, topic):
    return sum(server.log_ends(topic).values())


def test_an_event_id_counts_once_within_a_request_and_across_requests(start_penstock):
    server = start_penstock(CONFIG)

    first = server.accept_events("orders", "\n".join([order(1), order(2), order(1)]))
    second = server.accept_events("orders", f"[{order(2)},{order(3)}]")

    assert (first["accepted"], first["duplicates"]) == (2, 1)
    assert (second["accepted"], second["duplicates"]) == (1, 1)
    assert total(server, "orders") == 3


def test_ids_of_different_types_are_different(start_penstock):
    server = start_penstock(CONFIG)

    answer = server.accept_events("orders", '{"id":1,"user":"u"}{"id":"1","user":"u"}{"id":1.0,"user":"u"}'
                                            '{"id":1,"user":"u"}')

    assert answer["duplicates"] >= 1
    assert answer["accepted"] + answer["duplicates"] == 4


def test_events_without_an_id_are_never_duplicates(start_penstock):
    server = start_penstock(CONFIG)

    answer = server.accept_events("orders", '{"user":"u"}\n{"user":"u"}')

    assert (answer["accepted"], answer["duplicates"]) == (2, 0)


def test_event_ids_are_known_again_after_a_kill(start_penstock):
    server = start_penstock(CONFIG)
    body = "\n".join(order(number) for number in range(1000))
    server.accept_events("orders", body)

    server.kill()
    server.start()
    answer = server.accept_events("orders", body + "\n" + order(1000))

    assert (answer["accepted"], answer["duplicates"]) == (1, 1000)
    assert total(server, "orders") == 1001


def test_event_ids_are_known_again_after_a_graceful_stop(start_penstock):
    server = start_penstock(CONFIG)
    server.accept_events("orders", order(1))

    server.stop()
    server.start()

    assert server.accept_events("orders", order(1))["duplicates"] == 1


def test_the_window_of_ids_is_bounded_by_its_count(start_penstock):
    server = start_penstock(CONFIG)
    server.accept_events("small", "\n".join(order(number) for number in range(500)))

    newest = server.accept_events("small", order(499))
    oldest = server.accept_events("small", order(0))

    assert newest["duplicates"] == 1
    assert oldest["accepted"] == 1


def test_a_request_with_a_known_idempotency_key_is_answered_as_before(start_penstock):
    server = start_penstock(CONFIG)
    key = {"Idempotency-Key": "a1"}
    events = "\n".join(order(number) for number in range(10))

    first = server.accept_events("plain", events, key)
    again = server.accept_events("plain", events, key)
    other = server.accept_events("plain", events, {"Idempotency-Key": "a2"})

    assert first["accepted"] == 10
    assert (again["accepted"], again["duplicates"]) in [(10, 0), (0, 10)]
    assert other["accepted"] == 10
    assert total(server, "plain") == 20


def test_idempotency_keys_are_known_again_after_a_kill(start_penstock):
    server = start_penstock(CONFIG)
    events = "\n".join(order(number) for number in range(10))
    server.accept_events("plain", events, {"Idempotency-Key": "b1"})

    server.kill()
    server.start()
    server.accept_events("plain", events, {"Idempotency-Key": "b1"})

    assert total(server, "plain") == 10


def test_duplicates_are_counted(start_penstock):
    server = start_penstock(CONFIG)

    server.accept_events("orders", "\n".join([order(1), order(1), order(1)]))

    assert server.metric("penstock_ingest_events_total", topic="orders", outcome="duplicate") == 2
    assert server.metric("penstock_ingest_events_total", topic="orders", outcome="accepted") == 1
