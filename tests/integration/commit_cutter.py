"""CommitCutter is a TCP proxy in front of a PostgreSQL server that breaks connections around COMMIT.

It reads the messages of both directions. A COMMIT on its way may be cut before the server has it, or
after the server has done it and before its answer is through: then the client cannot know."""
import random
import socket
import struct
import threading

from penstock_process import free_port

COMMIT = b"COMMIT\0"


class Messages:
    """Splits a byte stream into PostgreSQL's messages: a type, a length, a body."""

    def __init__(self, has_startup):
        self.rest, self.has_startup = b"", has_startup

    def feed(self, data):
        """Yields (type, body, bytes as they are)."""
        self.rest += data
        while True:
            head = 0 if self.has_startup else 1
            if len(self.rest) < head + 4:
                return
            size = head + struct.unpack_from(">I", self.rest, head)[0]
            if len(self.rest) < size:
                return
            message, self.rest = self.rest[:size], self.rest[size:]
            kind = b"" if self.has_startup else message[:1]
            self.has_startup = False
            yield kind, message[head + 4:], message


class CommitCutter:
    """Threads: one that accepts, two for each connection. Chances are those of each COMMIT."""

    def __init__(self, target_port, seed):
        self.port, self.target_port = free_port(), target_port
        self.random = random.Random(seed)
        self.before_chance = self.after_chance = 0.0
        self.cut_before = self.cut_after = self.held = 0
        self.gate, self.cuts_held = threading.Event(), False
        self.gate.set()
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, daemon=True).start()

    def hold(self):
        """From now on no COMMIT gets through."""
        self.gate.clear()

    def release(self, cut):
        """Ends that: what was held goes on to the server, or its connection is cut."""
        self.cuts_held = cut
        self.gate.set()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target_port))
            except OSError:
                client.close()
                continue
            for connection in (client, server):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            swallow = threading.Event()
            threading.Thread(target=self.requests, args=(client, server, swallow), daemon=True).start()
            threading.Thread(target=self.answers, args=(client, server, swallow), daemon=True).start()

    @staticmethod
    def cut(client, server):
        for connection in (client, server):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def requests(self, client, server, swallow):
        messages = Messages(has_startup=True)
        try:
            while data := client.recv(65536):
                passed = b""
                for kind, body, message in messages.feed(data):
                    if kind == b"Q" and body == COMMIT:
                        if not self.gate.is_set():
                            self.held += 1
                            self.gate.wait()
                            if self.cuts_held:
                                return
                        chance = self.random.random()
                        if chance < self.before_chance:
                            self.cut_before += 1
                            return
                        if chance < self.before_chance + self.after_chance:
                            swallow.set()
                    passed += message
                server.sendall(passed)
        except OSError:
            pass
        finally:
            self.cut(client, server)

    def answers(self, client, server, swallow):
        messages = Messages(has_startup=False)
        try:
            while data := server.recv(65536):
                passed = b""
                for kind, body, message in messages.feed(data):
                    if swallow.is_set() and kind == b"C" and body == COMMIT:
                        self.cut_after += 1
                        return
                    passed += message
                client.sendall(passed)
        except OSError:
            pass
        finally:
            self.cut(client, server)

    def close(self):
        self.listener.close()
