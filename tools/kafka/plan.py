"""What a cluster will be: its options, folder, nodes and ports, and the Java that runs it."""
import base64
import dataclasses
import os
import pathlib
import secrets
import shutil
import tempfile

from kafka import settings
from kafka.node import Node, free_ports

HERE = pathlib.Path(__file__).resolve().parent
KAFKA = "kafka-4.3.1"
SIZES = (1, 3, 12)
FOLDER_PREFIX = "penstock-kafka-"
START_SECONDS = 300
# The quick compiler and little memory: many brokers share one machine. Not for measurements.
FRUGAL = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
FULL_SPEED = ("-Xms512m", "-Xmx1g")


class ClusterError(Exception):
    """What went wrong, in words for the one who typed the command."""


@dataclasses.dataclass
class Options:
    """What `up` may be told. Ports of 0 are chosen."""
    brokers: int = 3
    security: str = "plaintext"  # of the listener for clients: a key of security.MODES
    directory: pathlib.Path | None = None  # a temporary folder
    first_port: int = 0  # broker N listens for clients on first_port + N - 1
    first_advertised_port: int = 0  # clients are sent to first_advertised_port + N - 1, a proxy's
    full_speed: bool = False
    extra: dict[str, str] = dataclasses.field(default_factory=dict)  # settings of every node, the last word
    templates: pathlib.Path | None = None  # a folder with broker.properties and controller.properties
    wait_seconds: float = START_SECONDS


def kafka_id() -> str:
    """A random id as Kafka writes them; one that begins with a dash would look like an option."""
    while True:
        text = base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()
        if not text.startswith("-"):
            return text


def find_java() -> str:
    home = os.environ.get("JAVA_HOME")
    java = shutil.which(f"{home}/bin/java" if home else "java")
    if not java:
        raise ClusterError("no java found: run `tools/setup`, or install openjdk-17-jre-headless")
    return java


def find_jars() -> str:
    deps = pathlib.Path(os.environ.get("PENSTOCK_DEPS") or HERE.parents[1] / ".deps")
    if not any((deps / KAFKA).glob("kafka_*.jar")):
        raise ClusterError(f"no Kafka in {deps / KAFKA}: run `tools/setup`")
    return str(deps / KAFKA / "*")


def jvm_command(full_speed: bool) -> list[str]:
    """Java with Kafka's jars; a main class and its arguments follow."""
    return [find_java(), *(FULL_SPEED if full_speed else FRUGAL), "-cp", find_jars(),
            f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"]


def prepare_directory(wanted: pathlib.Path | None) -> tuple[pathlib.Path, bool]:
    """(the folder of the cluster, whether it was made here)"""
    if wanted is None:
        return pathlib.Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX)), True
    directory = wanted.resolve()
    if not directory.exists():
        directory.mkdir(parents=True)
        return directory, True
    if not directory.is_dir() or any(directory.iterdir()):
        raise ClusterError(f"{directory} is not an empty folder; a cluster that is there ends with "
                           f"`tools/kafka-cluster down --directory {directory}`")
    return directory, False


def plan(options: Options, directory: pathlib.Path) -> list[Node]:
    """Up to three brokers are controllers, too; more have three controllers of their own, 101 to 103."""
    combined = options.brokers <= 3
    controllers = [] if combined else [101, 102, 103]
    ids = [*range(1, options.brokers + 1), *controllers]
    nodes = [Node(node_id, node_id < 100, combined or node_id > 100,
                  settings.ZONES[(node_id - 1 if node_id < 100 else node_id - 101) % 3],
                  str(directory / f"node-{node_id}"), directory_id=kafka_id()) for node_id in ids]
    given = range(options.first_port, options.first_port + options.brokers)
    ports = (port for port in free_ports(4 * len(nodes)) if port not in given)
    for node in nodes:
        if node.is_broker:
            node.client_port = options.first_port + node.node_id - 1 if options.first_port else next(ports)
            node.internal_port = next(ports)
        if node.is_controller:
            node.controller_port = next(ports)
    return nodes
