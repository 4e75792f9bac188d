"""What tests of `log.backend = "kafka"` share: configurations, and an independent reader of topics."""
import json
import time
import uuid

import confluent_kafka


def config(cluster, prefix, rest, kafka="", servers=None):
    """A configuration on the cluster, by way of `servers`; topics of different prefixes do not see each other."""
    return f"""
[log]
backend = "kafka"
retention_time = "unlimited"

[kafka]
bootstrap_servers = "{servers or cluster.bootstrap_servers}"
prefix = "{prefix}."
{kafka}
{rest}
"""


def records(cluster, topic, seconds=60):
    """{partition: [record]} of everything committed in the topic, as another client reads it."""
    consumer = confluent_kafka.Consumer({
        **cluster.client_settings, "group.id": str(uuid.uuid4()), "enable.auto.commit": False,
        "isolation.level": "read_committed", "enable.partition.eof": True, "auto.offset.reset": "earliest"})
    try:
        partitions = consumer.list_topics(topic, 30).topics[topic].partitions
        assert partitions, f"there is no topic {topic}"
        consumer.assign([confluent_kafka.TopicPartition(topic, number, 0) for number in partitions])
        found = {number: [] for number in partitions}
        left = set(partitions)
        deadline = time.monotonic() + seconds
        while left:
            assert time.monotonic() < deadline, f"{topic}: partitions {left} were not read to their end"
            for record in consumer.consume(10_000, 0.2):
                if record.error() is None:
                    found[record.partition()].append(record)
                elif record.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                    left.discard(record.partition())
                else:
                    raise confluent_kafka.KafkaException(record.error())
        return found
    finally:
        consumer.close()


def numbers(cluster, topic):
    """{partition: [(writer, number)]} of the events that writers.py has sent."""
    return {partition: [(event["w"], event["n"]) for event in map(json.loads, (r.value() for r in found))]
            for partition, found in records(cluster, topic).items()}
