"""deploy/kafka: a cluster of 12 brokers and 3 controllers made of those very files works as they promise.

Replaced are ports, folders, certificates and what one machine has no memory for. The long run loses a zone.
"""
import os
import shlex
import subprocess
import threading
import time

import confluent_kafka
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import (AdminClient, ConfigResource, NewTopic, ScramCredentialInfo, ScramMechanism,
                                   UserScramCredentialUpsertion)

from kafka.settings import ZONES, read_properties
from kafka_cluster import ROOT, running_cluster

DEPLOY = ROOT / "deploy/kafka"
ROLES = ("gateway", "streams", "sinks", "console")
TOOLS = {"kafka-topics.sh": "org.apache.kafka.tools.TopicCommand", "kafka-acls.sh": "org.apache.kafka.tools.AclCommand"}
ONE_MACHINE = {"log.cleaner.dedupe.buffer.size": "2097152", "num.network.threads": "2", "num.io.threads": "4",
               "num.replica.fetchers": "1", "num.recovery.threads.per.data.dir": "1",
               "offsets.topic.num.partitions": "12", "transaction.state.log.num.partitions": "12"}
EVENTS, PARTITIONS = "penstock.web", 12


@pytest.fixture(scope="module")
def deployed(full_run, tmp_path_factory):
    """The cluster, with the users, rights and topics that the scripts made."""
    if not full_run:
        pytest.skip("starts 15 brokers and controllers: PENSTOCK_TEST_FULL=1")
    with running_cluster(brokers=12, security="sasl_ssl", templates=DEPLOY, extra=ONE_MACHINE,
                         wait_seconds=600) as cluster:
        add_users(cluster)
        bin_folder = tmp_path_factory.mktemp("bin")
        for name, main_class in TOOLS.items():
            command = shlex.join([*cluster.jvm, main_class])
            (bin_folder / name).write_text(f"#!/bin/sh\nexec {command} \"$@\"\n")
            (bin_folder / name).chmod(0o755)
        run_script(cluster, bin_folder, "acls.sh")
        run_script(cluster, bin_folder, "create-topic.sh", EVENTS, "events", str(PARTITIONS))
        run_script(cluster, bin_folder, "create-topic.sh", "penstock.web_by_page-changelog", "changelog", "12")
        run_script(cluster, bin_folder, "create-topic.sh", "other.secret", "output", "1")
        yield cluster


def admin(cluster):
    """With the rights of a node, by the listener of the nodes."""
    tls = cluster.security
    servers = ",".join(f"127.0.0.1:{node.internal_port}" for node in cluster.brokers)
    return AdminClient({"bootstrap.servers": servers, "security.protocol": "ssl", "ssl.ca.location": str(tls.ca),
                        "ssl.certificate.location": str(tls.node), "ssl.key.location": str(tls.node)})


def add_users(cluster):
    client = admin(cluster)
    changes = [UserScramCredentialUpsertion(role, ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096),
                                            f"{role}-password".encode()) for role in ROLES]
    for done in client.alter_user_scram_credentials(changes).values():
        done.result(60)


def run_script(cluster, bin_folder, script, *arguments):
    environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}",
                   "BOOTSTRAP": cluster.admin_settings["bootstrap.servers"],
                   "ADMIN": str(cluster.directory / "admin.properties")}
    done = subprocess.run([DEPLOY / script, *arguments], env=environment, capture_output=True, text=True,
                          timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def client_settings(cluster, role, **more):
    return {**cluster.client_settings, "sasl.username": role, "sasl.password": f"{role}-password", **more}


def retried(action, seconds=60):
    """Rights and users reach all brokers a moment after they were made."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return action()
        except confluent_kafka.KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def produced(settings, topic):
    """The error of one record's acknowledgement; None if it was acknowledged."""
    producer = confluent_kafka.Producer({**settings, "acks": "all", "delivery.timeout.ms": 60_000})
    errors = []
    producer.produce(topic, b"{}", b"key", on_delivery=lambda error, _: errors.append(error))
    producer.flush(70)
    assert len(errors) == 1
    return errors[0]


def test_what_controllers_decide_is_the_same_in_both_files():
    broker, controller = (read_properties(DEPLOY / f"{name}.properties") for name in ("broker", "controller"))
    own = {"process.roles", "node.id", "listeners", "advertised.listeners", "log.dirs"}

    assert {key: value for key, value in controller.items() if key not in own} \
        == {key: broker[key] for key in controller if key not in own}


@pytest.mark.slow
def test_all_brokers_are_registered_in_their_zones(deployed):
    registered = deployed.registered()

    assert {node_id: broker.rack for node_id, broker in registered.items()} \
        == {node_id: ZONES[(node_id - 1) % 3] for node_id in range(1, 13)}


@pytest.mark.slow
def test_eligible_leader_replicas_are_on(deployed):
    features = deployed.run_tool("org.apache.kafka.tools.FeatureCommand", "describe")

    line = next(line for line in features.splitlines() if "eligible.leader.replicas.version" in line)
    assert "FinalizedVersionLevel: 1" in line


@pytest.mark.slow
def test_topics_have_three_replicas_in_three_zones_and_their_settings(deployed):
    client = admin(deployed)
    topics = client.list_topics(timeout=60).topics
    for partition in topics[EVENTS].partitions.values():
        assert {ZONES[(replica - 1) % 3] for replica in partition.replicas} == set(ZONES)
        assert len(partition.replicas) == 3

    for topic, kind in ((EVENTS, "events"), ("penstock.web_by_page-changelog", "changelog")):
        resource = ConfigResource("topic", topic)
        settings = client.describe_configs([resource])[resource].result(60)
        wanted = read_properties(DEPLOY / f"topics/{kind}.properties")
        assert {key: settings[key].value for key in wanted} == wanted


@pytest.mark.slow
def test_each_role_may_do_its_work_and_nothing_else(deployed):
    gateway, streams = client_settings(deployed, "gateway"), client_settings(deployed, "streams")
    retried(lambda: transact(streams, "penstock.web_by_page-0"))
    retried(lambda: transact(gateway, "penstock.penstock-spill-1"))
    assert produced(gateway, EVENTS) is None

    refused = "TOPIC_AUTHORIZATION_FAILED"
    assert produced(gateway, "other.secret").name() == refused
    assert produced(client_settings(deployed, "console"), EVENTS).name() == refused
    assert produced(client_settings(deployed, "sinks"), EVENTS).name() == refused
    for settings, transactional_id in ((gateway, "penstock.web_by_page-0"), (streams, "other-0")):
        with pytest.raises(confluent_kafka.KafkaException) as error:
            transact(settings, transactional_id)
        assert error.value.args[0].name() == "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"


def transact(settings, transactional_id):
    producer = confluent_kafka.Producer({**settings, "transactional.id": transactional_id})
    producer.init_transactions(60)
    producer.begin_transaction()
    producer.produce(EVENTS, b"{}", b"in a transaction")
    producer.commit_transaction(60)


class Writer(threading.Thread):
    """Writes numbered records with acks=all until told to stop, and notes what was acknowledged when."""

    def __init__(self, settings, topic, partition_count):
        super().__init__(name=f"writer of {topic}")
        self.topic, self.partition_count = topic, partition_count
        self.producer = confluent_kafka.Producer({**settings, "acks": "all", "enable.idempotence": True,
                                                  "linger.ms": 5, "delivery.timeout.ms": 120_000})
        self.acknowledged = {}  # number: when
        self.failed = []
        self.enough = threading.Event()

    def run(self):
        number = 0
        while not self.enough.is_set():
            self.producer.produce(self.topic, str(number).encode(), b"zone", number % self.partition_count,
                                  on_delivery=self.answered)
            number += 1
            self.producer.poll(0)
            self.enough.wait(0.002)
        self.producer.flush(150)

    def answered(self, error, record):
        if error is None:
            self.acknowledged[int(record.value())] = time.monotonic()
        else:
            self.failed.append(str(error))

    def wait_for(self, more, seconds=120):
        """Returns when so many more were acknowledged."""
        target, deadline = len(self.acknowledged) + more, time.monotonic() + seconds
        while len(self.acknowledged) < target:
            assert time.monotonic() < deadline, f"{len(self.acknowledged)} acknowledged, {self.failed[:3]}"
            time.sleep(0.05)


    def longest_gap(self, since):
        """Seconds in which some partition acknowledged nothing."""
        times = {partition: [since] for partition in range(self.partition_count)}
        for number, when in self.acknowledged.items():
            if when > since:
                times[number % self.partition_count].append(when)
        return max(later - earlier for found in map(sorted, times.values())
                   for earlier, later in zip(found, found[1:]))

    def stop(self):
        self.enough.set()
        self.join(200)


def read_numbers(settings, topic, partition_count, seconds):
    """The writer's numbers that can be read within this time."""
    consumer = confluent_kafka.Consumer({**settings, "group.id": "penstock.verifier", "enable.auto.commit": False,
                                         "enable.partition.eof": True, "isolation.level": "read_committed"})
    numbers, ended = [], set()
    try:
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partition_count)])
        deadline = time.monotonic() + seconds
        while len(ended) < partition_count and time.monotonic() < deadline:
            for record in consumer.consume(500, timeout=1):
                if record.error() is None:
                    numbers += [int(record.value())] if record.key() == b"zone" else []
                elif record.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                    ended.add(record.partition())
    finally:
        consumer.close()
    return numbers


@pytest.mark.slow
def test_losing_a_zone_loses_and_doubles_nothing(deployed):
    gateway, sinks = client_settings(deployed, "gateway"), client_settings(deployed, "sinks")
    control = Writer(gateway, *make_topic_with_one_copy(deployed))
    control.start()
    control.wait_for(200)
    control.stop()
    writer = Writer(gateway, EVENTS, PARTITIONS)
    lost = [node for node in deployed.nodes if node.rack == "az-b"]
    assert len(lost) == 5  # four brokers and a controller
    writer.start()
    try:
        writer.wait_for(2000)

        for node in lost:
            deployed.kill(node.node_id)
        at = time.monotonic()
        writer.wait_for(6000)
    finally:
        writer.stop()

    print(f"zone az-b killed: {len(writer.acknowledged)} records acknowledged, {len(writer.failed)} failed, "
          f"longest gap between acknowledgements of one partition {writer.longest_gap(at):.1f} s")
    assert writer.failed == []
    assert sorted(read_numbers(sinks, EVENTS, PARTITIONS, 120)) == sorted(writer.acknowledged)
    assert all(node.state() == "dead" for node in lost)
    # What the files prevent is seen by the same means.
    found = read_numbers(sinks, control.topic, control.partition_count, 20)
    assert set(found) < set(control.acknowledged), "one copy was enough: this test would not have seen a loss"

    started = time.monotonic()
    deployed.restore()
    wait_until_in_sync(deployed)
    print(f"zone az-b is back, all partitions have three replicas in sync after {time.monotonic() - started:.1f} s")


def make_topic_with_one_copy(cluster):
    """(name, number of partitions) of a topic with one replica in az-a and one in az-b, of different partitions."""
    topic = NewTopic("penstock.one-copy", 2, replica_assignment=[[1], [2]], config={"min.insync.replicas": "1"})
    client = admin(cluster)
    client.create_topics([topic])[topic.topic].result(60)
    return topic.topic, 2


def wait_until_in_sync(cluster, seconds=300):
    client, deadline = admin(cluster), time.monotonic() + seconds
    while True:
        partitions = client.list_topics(timeout=60).topics[EVENTS].partitions.values()
        if all(len(partition.isrs) == 3 for partition in partitions):
            return
        assert time.monotonic() < deadline, "a replica did not come back"
        time.sleep(0.2)
