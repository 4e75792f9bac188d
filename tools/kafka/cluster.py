"""A cluster of real Kafka processes on loopback ports, with its state in one folder."""
import json
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
from typing import Any, Callable

from kafka import settings
from kafka.metadata import Broker, registered_brokers
from kafka.node import ALIVE, Node
from kafka.plan import (FOLDER_PREFIX, START_SECONDS, ClusterError, Options, jvm_command, kafka_id, plan,
                        prepare_directory)
from kafka.security import Security

STATE_FILE = "cluster.json"
SETTLED_SECONDS = 2
CLIENT_FILE = "client.properties"
ADMIN_FILE = "admin.properties"


class Cluster:
    """Starts, asks, breaks and stops a cluster. `Cluster.load` finds one that another process started."""

    def __init__(self, directory: pathlib.Path, made_directory: bool, cluster_id: str, nodes: list[Node],
                 jvm: list[str], mode: str) -> None:
        self.directory = directory
        self.made_directory = made_directory
        self.cluster_id = cluster_id
        self.nodes = nodes
        self.jvm = jvm
        self.security = Security(mode, directory / "tls")

    @classmethod
    def up(cls, options: Options, say: Callable[[str], None] = lambda _: None) -> "Cluster":
        """Returns once every broker knows every broker; stops and removes everything if that fails."""
        jvm = jvm_command(options.full_speed)
        directory, made = prepare_directory(options.directory)
        cluster = cls(directory, made, kafka_id(), [], jvm, options.security)
        try:
            cluster.nodes = plan(options, directory)
            for node in cluster.nodes:
                node.require_free_ports()
            cluster.security.make()
            cluster._write_settings(options)
            cluster.save()
            say(f"formatting {len(cluster.nodes)} nodes in {directory}")
            cluster._format()
            cluster._start_all(options.wait_seconds)
            say(f"waiting for {options.brokers} brokers")
            cluster.wait_registered(options.wait_seconds)
        except BaseException:
            cluster.down()
            raise
        return cluster

    @classmethod
    def load(cls, directory: pathlib.Path) -> "Cluster":
        try:
            state = json.loads((directory / STATE_FILE).read_text())
        except FileNotFoundError:
            raise ClusterError(f"no cluster in {directory}") from None
        nodes = [Node(**node) for node in state["nodes"]]
        return cls(directory, state["made_directory"], state["cluster_id"], nodes, state["jvm"],
                   state["security"])

    def save(self) -> None:
        state = {"made_directory": self.made_directory, "cluster_id": self.cluster_id, "jvm": self.jvm,
                 "security": self.security.mode, "nodes": [node.to_json() for node in self.nodes]}
        part = self.directory / (STATE_FILE + ".part")
        part.write_text(json.dumps(state, indent=1))
        part.rename(self.directory / STATE_FILE)

    @property
    def brokers(self) -> list[Node]:
        return [node for node in self.nodes if node.is_broker]

    @property
    def bootstrap_servers(self) -> str:
        return ",".join(f"127.0.0.1:{node.client_port}" for node in self.brokers)

    @property
    def client_settings(self) -> dict[str, str]:
        """For librdkafka: where the brokers are and how to come in."""
        return {"bootstrap.servers": self.bootstrap_servers, **self.security.client_settings()}

    @property
    def admin_settings(self) -> dict[str, str]:
        """For Kafka's own tools: `run_tool` gives them by itself."""
        servers = ",".join(f"127.0.0.1:{node.internal_port}" for node in self.brokers)
        return {"bootstrap.servers": servers, **self.security.java_admin_settings()}

    def node(self, node_id: int) -> Node:
        for node in self.nodes:
            if node.node_id == node_id:
                return node
        known = ", ".join(str(node.node_id) for node in self.nodes)
        raise ClusterError(f"there is no node {node_id} in this cluster: {known}")

    def registered(self) -> dict[int, Broker]:
        """What the first running broker that answers says; empty if none does."""
        for node in self.brokers:
            if node.state() == "running":
                try:
                    return {broker.node_id: broker for broker in self._ask(node)}
                except OSError:
                    continue
        return {}

    def wait_registered(self, seconds: float = START_SECONDS) -> None:
        """Returns once every broker that runs knows of all that run; fails at once if a node dies."""
        running = [node for node in self.nodes if node.state() == "running"]
        expected = {node.node_id for node in running if node.is_broker}
        waiting = [node for node in running if node.is_broker]
        deadline = time.monotonic() + seconds
        while waiting:
            self._require_alive(running)
            waiting = [node for node in waiting if not self._knows(node, expected)]
            if waiting and time.monotonic() > deadline:
                missing = expected - set(self.registered())
                silent = self.node(min(missing)) if missing else waiting[0]
                raise ClusterError(f"after {seconds:.0f} s broker {silent.node_id} is not registered everywhere; "
                                   f"from its log:\n{silent.log_tail()}")
            time.sleep(0.1)

    def kill(self, node_id: int) -> None:
        """kill -9; returns when the process is gone."""
        self._alive(node_id).kill()

    def pause(self, node_id: int) -> None:
        self._alive(node_id).signal(signal.SIGSTOP)

    def resume(self, node_id: int) -> None:
        self._alive(node_id).signal(signal.SIGCONT)

    def start(self, node_id: int, wait_seconds: float = START_SECONDS) -> None:
        """Starts a node that was killed; 0 seconds: does not wait until it is registered."""
        node = self.node(node_id)
        if node.state() in ALIVE:
            raise ClusterError(f"node {node_id} is {node.state()}")
        self._start(node)
        if wait_seconds and node.is_broker:
            self.wait_registered(wait_seconds)

    def restore(self) -> None:
        """Resumes what is paused and starts what was killed; returns when all brokers are registered."""
        for node in self.nodes:
            state = node.state()
            if state == "paused":
                node.signal(signal.SIGCONT)
            elif state == "dead":
                self._start(node)
        self.wait_registered()

    def down(self, keep_files: bool = False) -> None:
        """Kills what runs, and removes what `up` made, the folder too unless it was there before."""
        for node in self.nodes:
            node.kill()
        if keep_files:
            return
        for node in self.nodes:
            shutil.rmtree(node.folder, ignore_errors=True)
        shutil.rmtree(self.security.folder, ignore_errors=True)
        for name in (STATE_FILE, CLIENT_FILE, ADMIN_FILE):
            (self.directory / name).unlink(missing_ok=True)
        if self.made_directory:
            shutil.rmtree(self.directory)

    def status(self) -> dict[str, Any]:
        registered = self.registered()
        return {
            "directory": str(self.directory),
            "bootstrap_servers": self.bootstrap_servers,
            "security": self.security.mode,
            "client_settings": str(self.directory / CLIENT_FILE),
            "nodes": [{"id": node.node_id, "roles": node.roles, "rack": node.rack,
                       "address": f"127.0.0.1:{node.client_port or node.controller_port}",
                       "pid": node.pid, "state": node.state(), "log": str(node.log_file),
                       "registered": node.node_id in registered if node.is_broker else None}
                      for node in self.nodes]}

    def run_tool(self, main_class: str, *arguments: str) -> str:
        """One of Kafka's command line tools, with the rights of a node; returns what it prints."""
        done = subprocess.run([*self.tool_command(main_class), *arguments], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=START_SECONDS, check=False)
        if done.returncode:
            raise ClusterError(f"{main_class} failed:\n{done.stdout.strip()}\n{done.stderr.strip()}")
        return done.stdout

    def tool_command(self, main_class: str) -> list[str]:
        return [*self.jvm, main_class, "--bootstrap-server", self.admin_settings["bootstrap.servers"],
                "--command-config", str(self.directory / ADMIN_FILE)]

    def _alive(self, node_id: int) -> Node:
        node = self.node(node_id)
        if node.state() not in ALIVE:
            raise ClusterError(f"node {node_id} does not run")
        return node

    def _ask(self, node: Node) -> list[Broker]:
        return registered_brokers(node.internal_port, self.security.context())

    def _knows(self, node: Node, expected: set[int]) -> bool:
        try:
            return expected <= {broker.node_id for broker in self._ask(node)}
        except OSError:
            return False

    def _start(self, node: Node) -> None:
        node.require_free_ports()
        node.start([*self.jvm, "kafka.Kafka", str(node.settings_file)])
        self.save()

    def _start_all(self, seconds: float) -> None:
        """Controllers before brokers, which begin when the leader is elected. A broker that has read what the
        loser of an election wrote, and must forget it, would never find the controllers again (Kafka 4.3)."""
        for node in self.nodes:
            if node.is_controller:
                self._start(node)
        brokers = [node for node in self.nodes if not node.is_controller]
        if brokers:
            self._wait_leader(seconds)
        for node in brokers:
            self._start(node)

    def _wait_leader(self, seconds: float) -> None:
        """Returns when all controllers have had the same leader for a while."""
        controllers = [node for node in self.nodes if node.is_controller]
        deadline = time.monotonic() + seconds
        since, leader = time.monotonic(), None
        while leader is None or time.monotonic() < since + SETTLED_SECONDS:
            self._require_alive(controllers)
            votes = {node.quorum_leader() for node in controllers}
            agreed = votes.pop() if len(votes) == 1 else None
            if agreed != leader:
                since, leader = time.monotonic(), agreed
            if time.monotonic() > deadline:
                raise ClusterError(f"after {seconds:.0f} s the controllers have no leader; from the log of one:\n"
                                   f"{controllers[0].log_tail()}")
            time.sleep(0.1)

    def _require_alive(self, nodes: list[Node]) -> None:
        for node in nodes:
            if node.state() == "dead":
                raise ClusterError(f"node {node.node_id} ended; from {node.log_file}:\n{node.log_tail()}")

    def _write_settings(self, options: Options) -> None:
        for node in self.nodes:
            node.folder.mkdir()
            advertised = options.first_advertised_port
            port = advertised + node.node_id - 1 if advertised and node.is_broker else node.client_port
            settings.write_properties(node.settings_file, {
                **self._base(node, options), **settings.identity(node, self.nodes, port),
                **self.security.node_settings(), **options.extra})
        for name, contents in ((CLIENT_FILE, self.client_settings), (ADMIN_FILE, self.admin_settings)):
            settings.write_properties(self.directory / name, contents)

    def _base(self, node: Node, options: Options) -> dict[str, str]:
        if options.templates is None:
            return {**settings.SMALL, **settings.replication(options.brokers)}
        name = "broker.properties" if node.is_broker else "controller.properties"
        return settings.read_properties(options.templates / name)

    def _format(self) -> None:
        """Controllers get the first metadata from Kafka's own tool; brokers need only their identity."""
        controllers = [node for node in self.nodes if node.is_controller]
        voters = ",".join(f"{node.node_id}@127.0.0.1:{node.controller_port}:{node.directory_id}"
                          for node in controllers)
        running = []
        for node in controllers:
            command = [*self.jvm, "kafka.tools.StorageTool", "format", "--config", str(node.settings_file),
                       "--cluster-id", self.cluster_id, "--initial-controllers", voters,
                       *self.security.format_arguments()]
            running.append((node, subprocess.Popen(command, stdin=subprocess.DEVNULL, text=True,
                                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)))
        try:
            for node, process in running:
                output = process.communicate(timeout=START_SECONDS)[0]
                if process.returncode:
                    raise ClusterError(f"formatting node {node.node_id} failed:\n{output.strip()}")
        finally:
            for _, process in running:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        for node in self.nodes:
            if not node.is_controller:
                (node.folder / "data").mkdir()
                settings.write_properties(node.folder / "data/meta.properties", {
                    "version": "1", "node.id": str(node.node_id), "directory.id": node.directory_id,
                    "cluster.id": self.cluster_id})


def find_directories() -> list[pathlib.Path]:
    """Temporary folders of clusters that were not taken down."""
    return sorted(state.parent for state in
                  pathlib.Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*/{STATE_FILE}"))
