"""CuttingProxy is a TCP proxy in front of a server that breaks connections around certain requests.

Subclasses read the protocol and say which requests count. Such a request may be cut before the server has it, or after the
server has done it and before its answer is through: then the client cannot know."""
import enum
import random
import socket
import threading

from penstock_process import free_port


class Fate(enum.Enum):
    PASSES = 1
    IS_CUT = 2
    LOSES_ITS_ANSWER = 3


class CuttingProxy:
    """Threads: one that accepts, two for each connection. Chances are those of each request that counts."""

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
        """From now on no request that counts gets through."""
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
            shared = self.begin()
            for carry in (self.requests, self.answers):
                threading.Thread(target=self.carry, args=(carry, client, server, shared), daemon=True).start()

    def begin(self):
        """What the two threads of a connection share."""
        raise NotImplementedError

    def requests(self, client, server, shared):
        """Carries requests until the connection ends or is to be cut."""
        raise NotImplementedError

    def answers(self, client, server, shared):
        raise NotImplementedError

    @staticmethod
    def carry(carry, client, server, shared):
        try:
            carry(client, server, shared)
        except OSError:
            pass
        for connection in (client, server):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def fate(self):
        """Of a request that counts; waits while such are held."""
        if not self.gate.is_set():
            self.held += 1
            self.gate.wait()
            if self.cuts_held:
                return Fate.IS_CUT
        chance = self.random.random()
        if chance < self.before_chance:
            self.cut_before += 1
            return Fate.IS_CUT
        return Fate.LOSES_ITS_ANSWER if chance < self.before_chance + self.after_chance else Fate.PASSES

    def close(self):
        self.listener.close()
