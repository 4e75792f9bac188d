"""The properties of each node of a cluster on this machine."""
import pathlib

from kafka.node import Node

ZONES = ("az-a", "az-b", "az-c")
LISTENERS = ("CLIENT", "INTERNAL", "CONTROLLER")

# What costs memory or time on one machine and means nothing there, and what makes tests honest.
SMALL = {
    "auto.create.topics.enable": "false",  # a topic that was forgotten is an error
    "log.retention.ms": "-1",  # sample data may be older than the default of seven days
    "log.cleaner.dedupe.buffer.size": "2097152",
    "group.initial.rebalance.delay.ms": "0",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "offsets.topic.num.partitions": "6",
    "transaction.state.log.num.partitions": "6",
    "share.coordinator.state.topic.num.partitions": "1",
}


def replication(broker_count: int) -> dict[str, str]:
    factor = str(min(3, broker_count))
    in_sync = "2" if factor == "3" else "1"
    return {
        "default.replication.factor": factor,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": factor,
        "transaction.state.log.replication.factor": factor,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": factor,
        "share.coordinator.state.topic.min.isr": in_sync,
        "replica.selector.class": "org.apache.kafka.common.replica.RackAwareReplicaSelector",
    }


def identity(node: Node, nodes: list[Node], advertised_port: int) -> dict[str, str]:
    """What makes this node this node: the settings that no template can carry."""
    quorum = ",".join(f"127.0.0.1:{other.controller_port}" for other in nodes if other.is_controller)
    ports = {"CLIENT": node.client_port, "INTERNAL": node.internal_port, "CONTROLLER": node.controller_port}
    shown = {**ports, "CLIENT": advertised_port}
    mine = [name for name in LISTENERS if ports[name]]
    found = {
        "process.roles": node.roles,
        "node.id": str(node.node_id),
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.bootstrap.servers": quorum,
        "listeners": ",".join(f"{name}://127.0.0.1:{ports[name]}" for name in mine),
        "advertised.listeners": ",".join(f"{name}://127.0.0.1:{shown[name]}" for name in mine),
        "log.dirs": str(node.folder / "data"),
        # Twelve processes that start at once on a busy machine take longer than Kafka's minute.
        "initial.broker.registration.timeout.ms": "600000",
    }
    if node.is_broker:
        found |= {"broker.rack": node.rack, "inter.broker.listener.name": "INTERNAL"}
    return found


def read_properties(path: pathlib.Path) -> dict[str, str]:
    """The settings of a properties file as far as Kafka's own files use the format: `key=value` lines."""
    found: dict[str, str] = {}
    text = path.read_text().replace("\\\n", "")
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if key and not key.startswith(("#", "!")):
            if not equals:
                raise ValueError(f"{path}: `{line}` is not key=value")
            if key.strip() in found:
                raise ValueError(f"{path}: {key.strip()} is set twice")
            found[key.strip()] = value.strip()
    return found


def write_properties(path: pathlib.Path, settings: dict[str, str]) -> None:
    path.touch(mode=0o600)  # there may be a password in it
    path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
