"""One Kafka process of a cluster: its place, its ports, and the process itself."""
import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
from typing import Any

ALIVE = ("running", "paused")


def process_stat(pid: int) -> tuple[str, int] | None:
    """(state letter, start time in ticks since boot) of a process; None if there is none."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name in front may hold anything
    return fields[0], int(fields[19])


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody uses, outside of those that the system gives to outgoing
    connections: a broker that is down for a while finds its port free when it comes back."""
    first_outgoing = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    first, last = (20_000, first_outgoing) if first_outgoing > 22_000 else (61_000, 65_535)
    found: list[int] = []
    start = first + (os.getpid() * 7919 + time.monotonic_ns() // 1000) % (last - first)
    for step in range(last - first):
        port = first + (start - first + step) % (last - first)
        if is_free(port):
            found.append(port)
            if len(found) == count:
                return found
    raise OSError(f"no {count} free ports between {first} and {last}")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Java does
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@dataclasses.dataclass
class Node:
    """A broker, a controller or both. `pid` and `start_time` name its process, which may have ended."""
    node_id: int
    is_broker: bool
    is_controller: bool
    rack: str
    directory: str
    client_port: int = 0
    internal_port: int = 0
    controller_port: int = 0
    directory_id: str = ""
    pid: int = 0
    start_time: int = 0
    process: Any = dataclasses.field(default=None, repr=False, compare=False)

    @property
    def roles(self) -> str:
        return ",".join(name for name, has in (("broker", self.is_broker), ("controller", self.is_controller))
                        if has)

    @property
    def folder(self) -> pathlib.Path:
        return pathlib.Path(self.directory)

    @property
    def settings_file(self) -> pathlib.Path:
        return self.folder / "server.properties"

    @property
    def log_file(self) -> pathlib.Path:
        return self.folder / "server.log"

    def quorum_leader(self) -> tuple[int, int] | None:
        """(leader, epoch) as this controller has noted them; None if there is no leader."""
        try:
            state = json.loads((self.folder / "data/__cluster_metadata-0/quorum-state").read_text())
        except (OSError, ValueError):
            return None  # not written yet, or half
        return (state["leaderId"], state["leaderEpoch"]) if state["leaderId"] >= 0 else None

    def to_json(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)
                if field.name != "process"}

    def require_free_ports(self) -> None:
        for port in (self.client_port, self.internal_port, self.controller_port):
            if port and not is_free(port):
                raise OSError(f"port {port} of node {self.node_id} is taken by another program")

    def start(self, command: list[str]) -> None:
        """Starts the process apart from this terminal, so that Ctrl-C reaches only who is asked to stop it."""
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.folder, start_new_session=True)
        self.pid = self.process.pid
        stat = process_stat(self.pid)
        self.start_time = stat[1] if stat else 0

    def state(self) -> str:
        """running, paused or dead. A process with this pid that began at another time is not ours."""
        if self.process is not None:
            self.process.poll()  # takes away what has ended
        stat = process_stat(self.pid) if self.pid else None
        if stat is None or stat[1] != self.start_time or stat[0] in "ZX":
            return "dead"
        return "paused" if stat[0] in "Tt" else "running"

    def signal(self, number: signal.Signals) -> None:
        if self.state() in ALIVE:
            with contextlib.suppress(ProcessLookupError):  # it ended between the question and the signal
                os.kill(self.pid, number)

    def kill(self, seconds: float = 20) -> None:
        """kill -9, and waits until the process is gone. Does nothing if it is."""
        self.signal(signal.SIGKILL)
        deadline = time.monotonic() + seconds
        while self.state() in ALIVE:
            if time.monotonic() > deadline:
                raise OSError(f"process {self.pid} is still there {seconds:.0f} s after kill -9")
            time.sleep(0.01)

    def log_tail(self, lines: int = 12) -> str:
        """The first error of the log, where the cause is, and its end."""
        try:
            log = self.log_file.read_text(errors="replace").splitlines()
        except OSError:
            return "(no log)"
        error = next((at for at, line in enumerate(log) if " ERROR " in line or "Exception in" in line), len(log))
        end = max(error + lines, len(log) - lines)
        return "\n".join([*log[error:error + lines], *(["..."] if end < len(log) else []), *log[end:]])
