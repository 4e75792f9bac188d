"""Penstock is one `penstock up` process of a test, with the few HTTP calls that tests need."""
import http.client
import json
import os
import signal
import socket
import subprocess
import time


def free_port():
    """A TCP port of the loopback interface that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Penstock:
    """Starts, asks, stops and kills the program. Restarting keeps port and data directory."""

    def __init__(self, binary, config, data_dir, work_dir, env=None, arguments=()):
        self.binary = binary
        self.port = free_port()
        self.data_dir = data_dir
        self.config_file = work_dir / f"penstock-{self.port}.toml"
        self.config_file.write_text(config)
        self.log_file = work_dir / f"penstock-{self.port}.log"
        self.env = {**os.environ, **(env or {})}
        self.arguments = [str(a) for a in arguments]
        self.process = None

    def start(self, ready_seconds=30):
        """Starts the program and returns when it says that it is ready."""
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.binary), "up", "--config", str(self.config_file), "--data-dir",
                 str(self.data_dir), "--listen", f"127.0.0.1:{self.port}", *self.arguments],
                stdout=log, stderr=log, env=self.env)
        deadline = time.monotonic() + ready_seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"penstock ended with {self.process.returncode}:\n{self.log_tail()}")
            try:
                if self.get("/health/ready", timeout=2)[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise AssertionError(f"penstock was not ready after {ready_seconds} s:\n{self.log_tail()}")

    def stop(self, seconds=15):
        """Asks for a graceful stop; fails unless the program ends with 0 in time."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        assert code == 0, f"penstock stopped with {code}:\n{self.log_tail()}"

    def kill(self):
        """kill -9; does nothing if the program has ended."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def request(self, method, path, body=None, headers=None, timeout=30):
        """Returns (status, headers, body bytes) over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def get(self, path, timeout=30):
        """Returns (status, text)."""
        status, _, body = self.request("GET", path, timeout=timeout)
        return status, body.decode()

    def get_json(self, path):
        status, text = self.get(path)
        assert status == 200, f"GET {path}: {status} {text}"
        return json.loads(text)

    def post_events(self, topic, body, headers=None):
        """Posts to a topic; returns (status, parsed answer)."""
        data = body if isinstance(body, bytes) else body.encode()
        status, _, answer = self.request("POST", f"/v1/topics/{topic}/events", data, headers)
        return status, json.loads(answer)

    def log_tail(self, lines=40):
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])
