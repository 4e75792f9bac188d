"""tools/kafka-cluster --security: who is meant to come in does, everybody else does not; and Penstock comes in with
librdkafka's own keys, and shows no secret."""
import contextlib
import time

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient, NewTopic

import kafka_log
from kafka.security import certify, make_authority
from kafka_cluster import running_cluster
from penstock_process import Penstock
from waiting import wait_until


@contextlib.contextmanager
def secured_cluster(mode):
    with running_cluster(brokers=1, security=mode) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def sasl_ssl():
    with secured_cluster("sasl_ssl") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def mtls():
    with secured_cluster("mtls") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def tls():
    with secured_cluster("ssl") as cluster:
        yield cluster


def round_trip(settings):
    """Makes a topic, writes a record with acks=all and reads it back."""
    admin = AdminClient(settings)
    admin.create_topics([NewTopic("round-trip", 1, 1)])["round-trip"].result(30)
    producer = confluent_kafka.Producer({**settings, "acks": "all"})
    producer.produce("round-trip", b"hello", b"key")
    assert producer.flush(30) == 0
    consumer = confluent_kafka.Consumer({**settings, "group.id": "reader", "auto.offset.reset": "earliest"})
    try:
        consumer.subscribe(["round-trip"])
        record = consumer.poll(30)
        assert record is not None and record.error() is None
        return record.key(), record.value()
    finally:
        consumer.close()


def errors_of(settings):
    """What librdkafka reports when a client that must not come in tries to; fails if it gets an answer."""
    errors = []
    client = AdminClient({**settings, "error_cb": errors.append})
    deadline = time.monotonic() + 60
    while not errors and time.monotonic() < deadline:
        client.poll(0.1)
    assert errors, "the client was not refused"
    with pytest.raises(confluent_kafka.KafkaException):
        client.list_topics(timeout=2)
    return " ".join(str(error) for error in errors)


@pytest.mark.parametrize("mode", ["tls", "sasl_ssl", "mtls"])
def test_a_client_with_the_settings_that_the_tool_wrote_writes_and_reads(mode, request):
    cluster = request.getfixturevalue(mode)

    assert round_trip(cluster.client_settings) == (b"key", b"hello")


@pytest.mark.parametrize("mode", ["tls", "sasl_ssl", "mtls"])
def test_a_client_that_does_not_encrypt_is_refused(mode, request):
    cluster = request.getfixturevalue(mode)

    errors_of({"bootstrap.servers": cluster.bootstrap_servers})


def test_a_wrong_password_is_refused(sasl_ssl):
    errors = errors_of({**sasl_ssl.client_settings, "sasl.password": "guessed"})

    assert "Authentication failed" in errors


def test_a_user_that_does_not_exist_is_refused(sasl_ssl):
    errors = errors_of({**sasl_ssl.client_settings, "sasl.username": "nobody"})

    assert "Authentication failed" in errors


def test_a_client_without_certificate_is_refused(mtls):
    settings = mtls.client_settings
    del settings["ssl.certificate.location"], settings["ssl.key.location"]

    errors_of(settings)


def test_a_certificate_of_another_authority_is_refused(mtls, tmp_path):
    make_authority(tmp_path)
    certify(tmp_path, "penstock")

    errors_of({**mtls.client_settings, "ssl.certificate.location": str(tmp_path / "penstock.pem"),
               "ssl.key.location": str(tmp_path / "penstock.key")})


def test_a_server_of_another_authority_is_not_trusted(tls, tmp_path):
    make_authority(tmp_path)

    errors = errors_of({**tls.client_settings, "ssl.ca.location": str(tmp_path / "ca.pem")})

    assert "certificate verify failed" in errors


@pytest.mark.parametrize("mode", ["sasl_ssl", "mtls"])
def test_the_listener_of_the_nodes_wants_a_certificate_of_the_authority(mode, request):
    cluster = request.getfixturevalue(mode)
    node = cluster.brokers[0]

    errors_of({"bootstrap.servers": f"127.0.0.1:{node.internal_port}", "security.protocol": "ssl",
               "ssl.ca.location": str(cluster.security.ca)})


def penstock_config(cluster, prefix, **changed):
    """A configuration whose password comes out of the file that the tool has put it in."""
    properties = cluster.security.client_settings()
    if "sasl.password" in properties:
        properties["sasl.password"] = f"${{file:{cluster.security.password_file}}}"
    lines = [f'{key} = "{value}"' for key, value in {**properties, **changed}.items()]
    kafka = "\n".join(["replication_factor = 1", "min_insync_replicas = 1", "[kafka.properties]", *lines])
    return kafka_log.config(cluster, prefix, """
[[topic]]
name = "web"
partitions = 1

[[table]]
name = "last"
topic = "web"
group_by = ["/n"]
""", kafka)


@pytest.mark.parametrize("mode", ["tls", "sasl_ssl", "mtls"])
def test_penstock_comes_in_and_its_log_shows_no_secret(mode, request, start_penstock):
    cluster = request.getfixturevalue(mode)
    server = start_penstock(penstock_config(cluster, "secured"))

    server.accept_events("web", '{"n":1}\n{"n":2}\n')
    wait_until(lambda: server.get("/v1/stores/last")[1].count('"timestamp"') == 2, server)
    server.stop(60)

    assert [record.value() for record in kafka_log.records(cluster, "secured.web")[0]] == [b'{"n":1}', b'{"n":2}']
    text = server.log_file.read_text()
    assert cluster.security.password_file.read_text() not in text
    assert "PRIVATE KEY" not in text


def test_penstock_with_a_wrong_password_says_so_and_does_not_show_it(sasl_ssl, penstock_bin, tmp_path):
    config = penstock_config(sasl_ssl, "refused", **{"sasl.password": "${env:WRONG}"})
    server = Penstock(penstock_bin, config, tmp_path / "data", tmp_path, env={"WRONG": "s3cret-but-wrong"})
    server.launch()
    try:
        wait_until(lambda: "authentication" in server.log_file.read_text().lower(), server)
    finally:
        server.kill()

    assert "s3cret-but-wrong" not in server.log_file.read_text()
