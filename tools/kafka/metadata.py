"""Asks a broker which brokers are registered: the one request of Kafka's protocol that the tools need."""
import socket
import ssl
import struct
from typing import NamedTuple

METADATA = 3
VERSION = 1  # the oldest that brokers of Kafka 4 answer and that says racks
ANSWER_BYTES_MAX = 1 << 20


class Broker(NamedTuple):
    """A broker that is registered and not fenced, as the cluster advertises it."""
    node_id: int
    host: str
    port: int
    rack: str | None


class Reader:
    """Takes values of Kafka's protocol from the front of an answer."""

    def __init__(self, data: bytes):
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        if self.at + size > len(self.data):
            raise OSError("the answer is cut short")
        self.at += size
        return self.data[self.at - size:self.at]

    def int16(self) -> int:
        return struct.unpack(">h", self.take(2))[0]

    def int32(self) -> int:
        return struct.unpack(">i", self.take(4))[0]

    def string(self) -> str | None:
        size = self.int16()
        return None if size < 0 else self.take(size).decode()


def receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise OSError("the broker closed the connection")
        data += part
    return data


def registered_brokers(port: int, tls: ssl.SSLContext | None = None,
                       timeout_s: float = 2.0) -> list[Broker]:
    """The brokers that the one behind this port of 127.0.0.1 knows. OSError if it does not answer."""
    client = b"kafka-cluster"
    no_topics = struct.pack(">i", 0)
    request = struct.pack(">hhih", METADATA, VERSION, 1, len(client)) + client + no_topics
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as plain:
        connection = tls.wrap_socket(plain, server_hostname="127.0.0.1") if tls else plain
        with connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            size = struct.unpack(">i", receive(connection, 4))[0]
            if not 8 <= size <= ANSWER_BYTES_MAX:
                raise OSError(f"this does not speak Kafka's protocol: an answer of {size} bytes")
            answer = Reader(receive(connection, size))
    answer.int32()  # the request's number
    return [Broker(answer.int32(), answer.string() or "", answer.int32(), answer.string())
            for _ in range(answer.int32())]
