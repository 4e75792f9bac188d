"""Penstock is one `penstock up` process of a test, with the few HTTP calls that tests need. Where Kafka is the
log it may be a process of one role, such as `penstock gateway`."""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.parse


def free_port():
    """A TCP port of the loopback interface that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Penstock:
    """Starts, asks, stops and kills the program. Restarting keeps port and data directory."""

    def __init__(self, binary, config, data_dir, work_dir, env=None, arguments=(), command="up"):
        self.binary = binary
        self.command = command
        self.port = free_port()
        self.data_dir = data_dir
        self.config_file = work_dir / f"penstock-{self.port}.toml"
        self.config_file.write_text(config)
        self.log_file = work_dir / f"penstock-{self.port}.log"
        self.env = {**os.environ, **(env or {})}
        self.arguments = [str(a) for a in arguments]
        self.process = None

    def launch(self):
        """Starts the program and does not wait for it."""
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.binary), self.command, "--config", str(self.config_file), "--data-dir",
                 str(self.data_dir), "--listen", f"127.0.0.1:{self.port}", *self.arguments],
                stdout=log, stderr=log, env=self.env)

    def start(self, ready_seconds=30):
        """Starts the program and returns when it says that it is ready."""
        self.launch()
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

    def accept_events(self, topic, body, headers=None):
        """Posts to a topic and requires 200; returns the parsed answer."""
        status, answer = self.post_events(topic, body, headers)
        assert status == 200, f"POST to {topic}: {status} {answer}"
        return answer

    def log_ends(self, topic):
        """{partition: end offset}"""
        return {p["partition"]: p["end"] for p in self.get_json(f"/v1/topics/{topic}")["partitions"]}

    def event_lines(self, topic, partition=None):
        """Every event of a topic that is in its log now, as raw lines of the events API."""
        where = "" if partition is None else f"&partition={partition}"
        position = None
        while True:
            offset = "" if position is None else f"&offset={position}"
            status, headers, body = self.request(
                "GET", f"/v1/topics/{topic}/events?limit=10000{where}{offset}")
            assert status == 200, body
            if not body:
                return
            yield from body.split(b"\n")[:-1]
            position = headers["Penstock-Next-Offset"]

    def events(self, topic, partition=None):
        return [json.loads(line) for line in self.event_lines(topic, partition)]

    def entries(self, store, key="", **parameters):
        """All entries of a store, or of one key, page by page."""
        cursor, path = "", f"/v1/stores/{store}" + (f"/{key}" if key else "")
        while cursor is not None:
            query = urllib.parse.urlencode({"limit": 10_000, "cursor": cursor, **parameters})
            page = self.ask_store(f"{path}?{query}")
            yield from page["entries"]
            cursor = page["cursor"]

    def ask_store(self, path, seconds=60):
        """The answer of a store, asked again while a rebalance restores it, as the 429 says."""
        deadline = time.monotonic() + seconds
        while True:
            status, headers, body = self.request("GET", path)
            if status == 200:
                return json.loads(body)
            assert status == 429 and "Retry-After" in headers, f"GET {path}: {status} {body}"
            assert time.monotonic() < deadline, f"{path} is still busy: {body}"
            time.sleep(0.1)

    def wait_until_counted(self, store, topic, seconds=60):
        """Returns once everything that is in the topic's log now is in the store."""
        ends = self.log_ends(topic)
        deadline = time.monotonic() + seconds
        while True:
            done = self.ask_store(f"/v1/stores/{store}?limit=1")["complete_to"].get(topic, {})
            if all(done.get(str(partition), 0) >= end for partition, end in ends.items()):
                return
            assert time.monotonic() < deadline, f"{store} is at {done}, the log at {ends}"
            time.sleep(0.02)

    def metrics(self):
        """{(name, ((label, value), ...) sorted): value} of one page."""
        found = {}
        for line in self.get("/metrics")[1].splitlines():
            if match := re.match(r"([a-zA-Z0-9_:]+)(?:\{(.*)\})? (\S+)$", line):
                labels = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2] or "")
                found[match[1], tuple(sorted(labels))] = float(match[3])
        return found

    def metric(self, name, **labels):
        """The sum of a metric's series that have these labels; None if there is none."""
        values = [value for (found, series), value in self.metrics().items()
                  if found == name and all(dict(series).get(key) == wanted for key, wanted in labels.items())]
        return sum(values) if values else None

    def imbalance(self):
        """What the pipeline's balance says is lost or doubled since the start; None before its first reading."""
        return self.metric("penstock_pipeline_imbalance_records")

    def balance(self, job, topic, seconds=60):
        """(accepted, processed, in flight) of a reading that began after this call, from one page."""
        begun = self.metric("penstock_pipeline_readings_total") or 0
        deadline = time.monotonic() + seconds
        while True:
            found = self.metrics()
            if found.get(("penstock_pipeline_readings_total", ()), 0) >= begun + 2:
                where = (("job", job), ("topic", topic))
                return (found["penstock_pipeline_accepted_records", (("topic", topic),)],
                        found["penstock_pipeline_processed_records", where],
                        found["penstock_pipeline_in_flight_records", where])
            assert time.monotonic() < deadline, f"no reading of the balance:\n{self.log_tail()}"
            time.sleep(0.05)

    def log_tail(self, lines=40):
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])
