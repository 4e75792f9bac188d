"""While brokers do not answer, a producer waits: its threads do not poll without a pause until they do."""
import json
import threading
import time

import confluent_kafka
import pytest

import kafka_log
import kafka_proxy

TOPIC = '\n[[topic]]\nname = "web"\npartitions = 1\n'
WATCHED_S = 4


@pytest.fixture(scope="module")
def proxied():
    with kafka_proxy.proxied_cluster(seed=1) as (cluster, proxy):
        yield cluster, proxy


def processor_seconds(server):
    """Of all its threads so far."""
    fields = open(f"/proc/{server.process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def send(server, count):
    """Without waiting for the answer."""
    body = "\n".join(json.dumps({"n": number}) for number in range(count))
    thread = threading.Thread(target=server.accept_events, args=("web", body))
    thread.start()
    return thread


def wait_until_held(proxy):
    deadline = time.monotonic() + 20
    while proxy.held_count == 0:
        assert time.monotonic() < deadline, "nothing was sent"
        time.sleep(0.01)


def test_a_gateway_waits_for_answers_at_rest(start_penstock, proxied):
    cluster, proxy = proxied
    server = start_penstock(kafka_log.config(cluster, "rest", TOPIC, servers=proxy.bootstrap_servers),
                            command="gateway")
    send(server, 10).join()

    proxy.hold(kafka_proxy.PRODUCE, answers=True)
    try:
        sent = [send(server, 10)]
        wait_until_held(proxy)
        sent.append(send(server, 10))  # may not go out before the first is answered
        time.sleep(0.5)
        begun = processor_seconds(server)
        time.sleep(WATCHED_S)
        used = processor_seconds(server) - begun
    finally:
        proxy.release()
    for thread in sent:
        thread.join()

    print(f"{used} s of processor time in {WATCHED_S} s")
    assert used < WATCHED_S / 20
    found = [json.loads(record.value())["n"] for record in kafka_log.records(cluster, "rest.web")[0]]
    assert sorted(found) == sorted(list(range(10)) * 3)


def test_without_our_repair_of_librdkafka_it_would_not(proxied):
    """Python's client has librdkafka as it is."""
    cluster, proxy = proxied
    producer = confluent_kafka.Producer({"bootstrap.servers": proxy.bootstrap_servers, "enable.idempotence": True,
                                         "linger.ms": 1})
    write = lambda: [producer.produce("rest.web", b"{}", partition=0) for _ in range(10)]
    write()
    assert producer.flush(30) == 0

    proxy.hold(kafka_proxy.PRODUCE, answers=True)
    try:
        write()
        wait_until_held(proxy)
        write()
        time.sleep(0.5)
        begun = time.process_time()
        time.sleep(WATCHED_S)
        used = time.process_time() - begun
    finally:
        proxy.release()
    assert producer.flush(60) == 0

    print(f"{used} s of processor time in {WATCHED_S} s")
    assert used > WATCHED_S / 10
