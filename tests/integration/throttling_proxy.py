"""ThrottlingProxy is a TCP proxy in front of a server that lets requests through at a limited rate."""
import socket
import threading
import time

from penstock_process import free_port


class ThrottlingProxy:
    """`bytes_per_second` of all connections together, on the way to the server; None: unlimited. Changed at any time.
    Threads: one that accepts, two for each connection."""

    CHUNK = 4096

    def __init__(self, target_port, bytes_per_second=None):
        self.port, self.target_port = free_port(), target_port
        self.bytes_per_second = bytes_per_second
        self.passed = 0
        self.lock = threading.Lock()
        self.free_at = time.monotonic()
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                # Little is on its way in between: the sender feels the limit at once.
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
                server = socket.create_connection(("127.0.0.1", self.target_port))
            except OSError:
                return
            for carry in ((client, server, self.wait_for_turn), (server, client, lambda size: None)):
                threading.Thread(target=self.carry, args=carry, daemon=True).start()

    def wait_for_turn(self, size):
        with self.lock:
            self.passed += size
            rate = self.bytes_per_second
            if rate is None:
                return
            self.free_at = max(self.free_at, time.monotonic()) + size / rate
            wait = self.free_at - time.monotonic()
        time.sleep(max(0.0, wait))

    def carry(self, source, target, before):
        try:
            while data := source.recv(self.CHUNK):
                before(len(data))
                target.sendall(data)
        except OSError:
            pass
        for connection in (source, target):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()
