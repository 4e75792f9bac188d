"""RedisServer is a Redis of a test's own: it is started, killed and asked by the test."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from penstock_process import free_port


class RedisError(Exception):
    """What the server answered instead."""


class RedisClient:
    """As much of a client as tests need: RESP2 over one connection."""

    def __init__(self, port, timeout=30):
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.file = self.connection.makefile("rb")

    def close(self):
        self.file.close()
        self.connection.close()

    def send(self, commands):
        encoded = b""
        for words in commands:
            words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
            encoded += b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
        self.connection.sendall(encoded)

    def reply(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server is gone")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise RedisError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2].decode()
        return None if rest == b"-1" else [self.reply() for _ in range(int(rest))]

    def ask(self, *words):
        self.send([words])
        return self.reply()

    def ask_all(self, commands):
        """The replies to many commands at once."""
        self.send(commands)
        return [self.reply() for _ in commands]


class RedisServer:
    """One instance on a port of its own, in a folder of its own. As root it runs as the user `nobody` there.
    What it has written survives kill(), as far as its appendfsync says."""

    def __init__(self, *options, port=None, program="redis-server"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="penstock-redis-"))
        self.user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}
        if self.user:
            shutil.chown(self.folder, "nobody", "nogroup")
        self.port = port or free_port()
        self.program, self.options = program, [str(option) for option in options]
        self.log = self.folder / "log"
        self.process = None

    def start(self, wait=True):
        """Starts it, also after kill(); returns when it answers and has loaded what it had."""
        command = [self.program]
        if self.program == "redis-sentinel":
            command += [str(self.folder / "sentinel.conf")]
        command += ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), *self.options]
        if self.program == "redis-server" and "--save" not in self.options:
            command += ["--save", ""]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, **self.user)
        if wait:
            self.wait_until_ready()
        return self

    def wait_until_ready(self, seconds=30):
        deadline = time.monotonic() + seconds
        while True:
            try:
                client = RedisClient(self.port)
                answer = client.ask("PING")
                client.close()
                if answer == "PONG":
                    return
            except (OSError, RedisError) as error:
                if isinstance(error, RedisError) and "NOAUTH" in str(error):
                    return
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, "Redis did not start in time"
            time.sleep(0.01)

    def ask(self, *words):
        client = RedisClient(self.port)
        try:
            return client.ask(*words)
        finally:
            client.close()

    def ask_all(self, commands):
        client = RedisClient(self.port)
        try:
            return client.ask_all(commands)
        finally:
            client.close()

    def keys(self, pattern):
        return self.ask("KEYS", pattern)

    def kill(self):
        """kill -9, as when the machine dies."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)

    def remove(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
