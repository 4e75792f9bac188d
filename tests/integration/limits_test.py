"""Limits of the configuration hold in the running program, also where they are small."""
SMALL = """
[log]
segment_size = "1MiB"
tail_size = "1MiB"
queue_size_max = "1MiB"
[http]
body_size_max = "64KiB"
memory_max = "1MiB"
[ingest]
event_size_max = "32KiB"
batch_size_max = "16MiB"
memory_max = "1MiB"
[archive]
enabled = false
[[topic]]
name = "web"
"""
AUTO_CREATE = """
[ingest]
auto_create_topics = true
auto_create_max = 2
[archive]
enabled = false
"""


def test_topics_come_into_being_up_to_the_limit_also_after_a_restart(start_penstock):
    server = start_penstock(AUTO_CREATE)

    assert [server.post_events(topic, "{}")[0] for topic in ("one", "two", "three", "one")] == [200, 200, 429, 200]

    server.stop()
    server.start()
    assert [server.post_events(topic, "{}")[0] for topic in ("one", "two", "three")] == [200, 200, 429]
    assert server.log_ends("one") and server.get("/v1/topics/three")[0] == 404


def test_a_small_log_takes_every_request_that_it_does_not_refuse_as_too_many(start_penstock):
    server = start_penstock(SMALL)
    accepted = dead = 0
    for count in (1, 10, 100, 1000, 10_000, 30_000):
        for line in ("1\n", "{}\n"):
            status, answer = server.post_events("web", (line * count)[:60_000])
            assert status == 200 or (status, answer["code"]) == (413, "too_many_events"), answer
            accepted += answer.get("accepted", 0)
            dead += answer.get("dead_lettered", 0)

    assert accepted > 1000 and dead > 100
    assert sum(server.log_ends("web").values()) == accepted
    assert sum(server.log_ends("web.dlq").values()) == dead
