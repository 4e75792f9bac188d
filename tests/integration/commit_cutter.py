"""CommitCutter breaks connections to a PostgreSQL server around COMMIT."""
import struct
import threading

from cutting_proxy import CuttingProxy, Fate

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


class CommitCutter(CuttingProxy):
    def begin(self):
        return threading.Event()  # set: the answer to the COMMIT on its way must not get through

    def requests(self, client, server, swallow):
        messages = Messages(has_startup=True)
        while data := client.recv(65536):
            passed = b""
            for kind, body, message in messages.feed(data):
                if kind == b"Q" and body == COMMIT:
                    fate = self.fate()
                    if fate == Fate.IS_CUT:
                        return
                    if fate == Fate.LOSES_ITS_ANSWER:
                        swallow.set()
                passed += message
            server.sendall(passed)

    def answers(self, client, server, swallow):
        messages = Messages(has_startup=False)
        while data := server.recv(65536):
            passed = b""
            for kind, body, message in messages.feed(data):
                if swallow.is_set() and kind == b"C" and body == COMMIT:
                    self.cut_after += 1
                    return
                passed += message
            client.sendall(passed)
