"""Other Kafka clients read what we write and we read what they write: the same partitions (murmur2), headers,
timestamps, every compression. The others are librdkafka's Python client and Kafka's own console tools, in Java."""
import subprocess
import time

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient, NewTopic

PARTITIONS = 5
SECONDS_MAX = 60


@pytest.fixture
def interop(penstock_bin):
    path = penstock_bin.parent / "kafka_interop"
    if not path.exists():
        pytest.fail(f"{path} is not there: build the target `tests`", pytrace=False)

    def run(*arguments, lines=()):
        done = subprocess.run([path, *arguments], input="".join(f"{line}\n" for line in lines), capture_output=True,
                              text=True, timeout=SECONDS_MAX)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()
    return run


def records(count):
    """(key, value, timestamp, header)"""
    return [(f"key-{i % 97}", f"value {i} " + "x" * (i % 200), 1_700_000_000_000 + i, f"header-{i}")
            for i in range(count)]


def produce(brokers, topic, wanted, compression):
    producer = confluent_kafka.Producer({"bootstrap.servers": brokers, "partitioner": "murmur2_random",
                                         "compression.type": compression, "linger.ms": 20})
    for key, value, timestamp, header in wanted:
        producer.produce(topic, key=key, value=value, timestamp=timestamp, headers=[("h", header)])
    assert producer.flush(SECONDS_MAX) == 0


def consume(brokers, topic, count):
    """partition -> [(key, value, timestamp, header)], read by librdkafka's Python client."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": brokers, "group.id": f"interop-{topic}",
                                         "auto.offset.reset": "earliest", "isolation.level": "read_committed",
                                         "enable.auto.commit": False})
    consumer.assign([confluent_kafka.TopicPartition(topic, i, 0) for i in range(PARTITIONS)])
    found = {}
    deadline = time.monotonic() + SECONDS_MAX
    while count and time.monotonic() < deadline:
        message = consumer.poll(1)
        if message is None:
            continue
        assert message.error() is None
        header = dict(message.headers() or []).get("h", b"").decode()
        found.setdefault(message.partition(), []).append(
            (message.key().decode(), message.value().decode(), message.timestamp()[1], header))
        count -= 1
    consumer.close()
    return found


def read(interop, brokers, topic):
    found = {}
    for line in interop("read", brokers, topic):
        partition, key, value, timestamp, header = line.split("\t")
        found.setdefault(int(partition), []).append((key, value, int(timestamp), header))
    return found


def make_topic(brokers, topic):
    admin = AdminClient({"bootstrap.servers": brokers})
    admin.create_topics([NewTopic(topic, PARTITIONS, 3, config={"retention.ms": "-1"})])[topic].result(SECONDS_MAX)


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_we_read_what_another_client_writes(interop, kafka_cluster, compression):
    brokers, topic, wanted = kafka_cluster.bootstrap_servers, f"interop-read-{compression}", records(2_000)
    make_topic(brokers, topic)
    produce(brokers, topic, wanted, compression)

    ours = read(interop, brokers, topic)

    assert ours == consume(brokers, topic, len(wanted))
    assert sorted(record for partition in ours.values() for record in partition) == sorted(wanted)


def test_another_client_reads_what_we_write_in_the_partitions_where_it_would_look(interop, kafka_cluster):
    brokers, wanted = kafka_cluster.bootstrap_servers, records(2_000)
    interop("write", brokers, "interop-ours", str(PARTITIONS),
            lines=[f"{key}\t{value}\t{timestamp}\t{header}" for key, value, timestamp, header in wanted])
    make_topic(brokers, "interop-theirs")
    produce(brokers, "interop-theirs", wanted, "none")

    ours = consume(brokers, "interop-ours", len(wanted))

    assert sorted(record for partition in ours.values() for record in partition) == sorted(wanted)
    assert ours == consume(brokers, "interop-theirs", len(wanted))
    assert len(ours) == PARTITIONS


def java_write(cluster, topic, wanted, compression):
    """By Kafka's console producer, which gives records the time of sending."""
    lines = "".join(f"h:{header}\t{key}\t{value}\n" for key, value, _, header in wanted)
    done = subprocess.run(
        [*cluster.tool_command("org.apache.kafka.tools.ConsoleProducer"), "--topic", topic,
         "--compression-codec", compression, "--reader-property", "parse.key=true",
         "--reader-property", "parse.headers=true"],
        input=lines, capture_output=True, text=True, timeout=4 * SECONDS_MAX, check=False)
    assert done.returncode == 0, done.stderr


def java_read(cluster, topic, count):
    """partition -> [(key, value, timestamp, header)] by Kafka's console consumer."""
    columns = [f"print.{name}=true" for name in ("partition", "timestamp", "key", "headers")]
    output = cluster.run_tool(
        "org.apache.kafka.tools.consumer.ConsoleConsumer", "--topic", topic, "--from-beginning", "--max-messages",
        str(count), "--timeout-ms", str(1000 * SECONDS_MAX), "--isolation-level", "read_committed",
        *[argument for column in columns for argument in ("--formatter-property", column)])
    found = {}
    for line in output.splitlines():
        if not line.startswith("CreateTime:"):
            continue  # the tool's own
        time_text, partition, header, key, value = line.split("\t")
        found.setdefault(int(partition.removeprefix("Partition:")), []).append(
            (key, value, int(time_text.removeprefix("CreateTime:")), header.removeprefix("h:")))
    return found


@pytest.mark.parametrize("compression", ["gzip", "snappy", "lz4", "zstd"])
def test_we_read_what_a_java_client_writes(interop, kafka_cluster, compression):
    brokers, topic, wanted = kafka_cluster.bootstrap_servers, f"interop-java-{compression}", records(500)
    make_topic(brokers, topic)
    begun = time.time() * 1000
    java_write(kafka_cluster, topic, wanted, compression)

    ours = read(interop, brokers, topic)

    written = [(key, value, header) for partition in ours.values() for key, value, _, header in partition]
    assert sorted(written) == sorted((key, value, header) for key, value, _, header in wanted)
    assert all(begun - 1 <= at <= time.time() * 1000 for partition in ours.values() for _, _, at, _ in partition)
    assert ours == java_read(kafka_cluster, topic, len(wanted))


def test_a_java_client_reads_what_we_write_in_the_partitions_where_it_would_look(interop, kafka_cluster):
    brokers, wanted = kafka_cluster.bootstrap_servers, records(500)
    interop("write", brokers, "interop-for-java", str(PARTITIONS),
            lines=[f"{key}\t{value}\t{timestamp}\t{header}" for key, value, timestamp, header in wanted])
    make_topic(brokers, "interop-by-java")
    java_write(kafka_cluster, "interop-by-java", wanted, "none")

    ours = java_read(kafka_cluster, "interop-for-java", len(wanted))
    theirs = java_read(kafka_cluster, "interop-by-java", len(wanted))

    assert sorted(record for partition in ours.values() for record in partition) == sorted(wanted)
    partition_of = {key: number for number, found in theirs.items() for key, *_ in found}
    assert all(partition_of[key] == number for number, found in ours.items() for key, *_ in found)
