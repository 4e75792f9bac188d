"""KafkaProxy stands between clients and the brokers of a test: one port for each broker, which the brokers
advertise, so that every connection of every client passes it. It reads the heads of requests and can

  * cut connections around an EndTxn: before the broker has it, after it was sent, or after it was sent and
    then deliver it late, when the client has long gone on to its next transaction (`break_end_txn`)
  * hold requests of one kind back, or their answers (`hold`, `release`)
  * delay everything (`latency_s`), or let nothing through while connections stay open (`silence`)
"""
import collections
import contextlib
import random
import socket
import struct
import threading
import time

import kafka_cluster
from kafka.node import free_ports, is_free

# Api keys of Kafka's protocol.
PRODUCE, OFFSET_COMMIT, ADD_OFFSETS_TO_TXN, END_TXN, TXN_OFFSET_COMMIT = 0, 8, 25, 26, 28
CHUNK = 256 * 1024


class Requests:
    """Splits what a client sends into requests: a size, then the api key."""

    def __init__(self):
        self.rest = b""

    def feed(self, data):
        """Yields (api key, bytes as they are)."""
        self.rest += data
        while len(self.rest) >= 6:
            size, key = struct.unpack_from(">ih", self.rest)
            if len(self.rest) < 4 + size:
                return
            request, self.rest = self.rest[:4 + size], self.rest[4 + size:]
            yield key, request


class Pair:
    """A client's connection and the one to its broker."""

    def __init__(self, client, broker):
        self.client, self.broker = client, broker
        self.is_muted = False  # nothing comes back any more
        for connection in (client, broker):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @staticmethod
    def shut(*connections):
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def cut(self):
        self.shut(self.client, self.broker)


class KafkaProxy:
    """Threads: one that accepts for each broker, two for each connection, two more for each that is delayed."""

    def __init__(self, first_port, target_ports, seed):
        self.random = random.Random(seed)
        self.latency_s = 0.0
        self.chances = {}  # of an EndTxn: {"before" | "after" | "late": chance}
        self.broken = collections.Counter()
        self.open = threading.Event()  # cleared: nothing passes
        self.open.set()
        self.held_kind, self.held_count, self.gate = None, 0, threading.Event()
        self.answers_are_held = False
        self.requests = collections.Counter()
        self.listeners = []
        for port, target in zip(range(first_port, first_port + len(target_ports)), target_ports):
            listener = socket.create_server(("127.0.0.1", port))
            self.listeners.append(listener)
            threading.Thread(target=self.accept, args=(listener, target), daemon=True).start()
        self.bootstrap_servers = ",".join(f"127.0.0.1:{first_port + i}" for i in range(len(target_ports)))

    def break_end_txn(self, **chances):
        self.chances = chances

    def hold(self, kind, answers=False):
        """From now on no request of this kind gets through; or it does, and no answer."""
        self.gate.clear()
        self.held_count, self.answers_are_held = 0, answers
        self.held_kind = kind

    def release(self):
        """What was held is dropped together with its connection; later ones pass."""
        self.held_kind = None
        self.gate.set()

    def silence(self):
        self.open.clear()

    def speak(self):
        self.open.set()

    def close(self):
        for listener in self.listeners:
            listener.close()
        self.speak()
        self.release()

    def accept(self, listener, target):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                broker = socket.create_connection(("127.0.0.1", target))
            except OSError:
                client.close()
                continue
            pair = Pair(client, broker)
            threading.Thread(target=self.carry_requests, args=(pair,), daemon=True).start()
            threading.Thread(target=self.carry_answers, args=(pair,), daemon=True).start()

    def carry_requests(self, pair):
        requests, line = Requests(), DelayedLine(self, pair.broker)
        try:
            while data := pair.client.recv(CHUNK):
                for key, request in requests.feed(data):
                    self.requests[key] += 1
                    if not self.let_through(key, request, pair, line):
                        return
        except OSError:
            pass
        finally:
            line.end()
            pair.cut()

    def let_through(self, key, request, pair, line):
        """False: the connection has been dealt with."""
        if key == self.held_kind:
            self.held_count += 1
            if not self.answers_are_held:
                self.gate.wait()
                return False
            pair.is_muted = True
        if key == END_TXN and self.chances:
            return self.end_txn(request, pair, line)
        line.send(request)
        return True

    def end_txn(self, request, pair, line):
        how = self.random.choices([*self.chances, "intact"], [*self.chances.values(),
                                                              1 - sum(self.chances.values())])[0]
        if how == "intact":
            line.send(request)
            return True
        self.broken[how] += 1
        if how == "after":
            line.send(request)
            pair.shut(pair.client)
            pair.client.close()
            time.sleep(0.05)  # the broker reads what was sent before its connection ends, too
        elif how == "late":
            pair.shut(pair.client)
            time.sleep(self.random.uniform(0.02, 0.5))
            line.send(request)
            time.sleep(0.05)
        return False

    def carry_answers(self, pair):
        line = DelayedLine(self, pair.client)
        try:
            while data := pair.broker.recv(CHUNK):
                if pair.is_muted:
                    self.gate.wait()
                    return
                line.send(data)
        except OSError:
            pass
        finally:
            line.end()
            pair.shut(pair.client)


class DelayedLine:
    """One direction of a connection. Without latency it sends at once; once there was some, in order by a thread."""

    def __init__(self, proxy, to):
        self.proxy, self.to = proxy, to
        self.waiting, self.arrived = collections.deque(), threading.Condition()
        self.thread, self.ended = None, False

    def send(self, data):
        self.proxy.open.wait()
        if self.thread is None and not self.proxy.latency_s:
            self.to.sendall(data)
            return
        with self.arrived:
            self.waiting.append((time.monotonic() + self.proxy.latency_s, data))
            self.arrived.notify()
        if self.thread is None:
            self.thread = threading.Thread(target=self.run, daemon=True)
            self.thread.start()

    def run(self):
        while True:
            with self.arrived:
                while not self.waiting:
                    if self.ended:
                        return
                    self.arrived.wait()
                due, data = self.waiting.popleft()
            time.sleep(max(0.0, due - time.monotonic()))
            self.proxy.open.wait()
            try:
                self.to.sendall(data)
            except OSError:
                return

    def end(self):
        with self.arrived:
            self.ended = True
            self.arrived.notify()


def consecutive_free_ports(count):
    for first in free_ports(200):
        if all(is_free(first + i) for i in range(count)):
            return first
    raise OSError(f"no {count} free ports in a row")


@contextlib.contextmanager
def proxied_cluster(seed, brokers=3, **options):
    """(cluster, proxy): clients that begin at `proxy.bootstrap_servers`, or anywhere, pass the proxy."""
    first = consecutive_free_ports(brokers)
    with kafka_cluster.running_cluster(brokers=brokers, first_advertised_port=first, **options) as cluster:
        proxy = KafkaProxy(first, [node.client_port for node in cluster.brokers], seed)
        try:
            yield cluster, proxy
        finally:
            proxy.close()
