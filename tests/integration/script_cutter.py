"""ScriptCutter is a TCP proxy in front of a Redis server that breaks connections around scripts.

It reads the commands and replies of both directions. A script that writes records may be cut before the server has it,
or after the server has run it and before its answer is through: then the client cannot know. It may also change the
text of scripts, so that a test can see what their checks are good for."""
import random
import socket
import threading

from penstock_process import free_port


def take_line(data, at):
    end = data.find(b"\r\n", at)
    return (None, at) if end < 0 else (data[at:end], end + 2)


def take_words(data, at):
    """(words, position behind) of a command at that position, or (None, at) if it is not all there."""
    begin = at
    line, at = take_line(data, at)
    if line is None:
        return None, begin
    words = []
    for _ in range(int(line[1:])):
        line, at = take_line(data, at)
        if line is None or len(data) < at + int(line[1:]) + 2:
            return None, begin
        words.append(data[at:at + int(line[1:])])
        at += int(line[1:]) + 2
    return words, at


def skip_reply(data, at):
    """The position behind the reply at that position, or None."""
    line, at = take_line(data, at)
    if line is None:
        return None
    kind, rest = line[:1], line[1:]
    if kind in b"$=!" and rest != b"-1":
        at += int(rest) + 2
        return at if len(data) >= at else None
    if kind in b"*%~>" and rest != b"-1":
        for _ in range(int(rest) * (2 if kind == b"%" else 1)):
            at = skip_reply(data, at)
            if at is None:
                return None
    return at


def encoded(words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


class ScriptCutter:
    """Threads: one that accepts, two for each connection. Chances are those of each script that writes records."""

    def __init__(self, target_port, seed, changes=()):
        self.port, self.target_port = free_port(), target_port
        self.random = random.Random(seed)
        self.changes = changes
        self.before_chance = self.after_chance = 0.0
        self.cut_before = self.cut_after = self.held = 0
        self.gate, self.cuts_held = threading.Event(), False
        self.gate.set()
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, daemon=True).start()

    def hold(self):
        """From now on no script that writes gets through."""
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
            swallow = []  # for each command on its way: whether its reply must not get through
            threading.Thread(target=self.requests, args=(client, server, swallow), daemon=True).start()
            threading.Thread(target=self.answers, args=(client, server, swallow), daemon=True).start()

    @staticmethod
    def cut(client, server):
        for connection in (client, server):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    @staticmethod
    def writes_records(words):
        """Whether it is the script of a write: more keys than that of the position."""
        return words[0] in (b"EVALSHA", b"EVAL") and int(words[2]) > 1 and not words[4].endswith(b":probe")

    def requests(self, client, server, swallow):
        rest = b""
        try:
            while data := client.recv(262144):
                rest += data
                at = 0
                while True:
                    words, end = take_words(rest, at)
                    if words is None:
                        break
                    command, at = rest[at:end], end
                    if not self.pass_on(words, command, server, swallow):
                        return
                rest = rest[at:]
        except OSError:
            pass
        finally:
            self.cut(client, server)

    def pass_on(self, words, command, server, swallow):
        """False: this is where the connection is cut."""
        if self.changes and words[:1] in ([b"SCRIPT"], [b"EVAL"]):
            place = 2 if words[0] == b"SCRIPT" else 1
            for old, new in self.changes:
                words[place] = words[place].replace(old, new)
            command = encoded(words)
        lose_answer = False
        if self.writes_records(words):
            if not self.gate.is_set():
                self.held += 1
                self.gate.wait()
                if self.cuts_held:
                    return False
            chance = self.random.random()
            if chance < self.before_chance:
                self.cut_before += 1
                return False
            lose_answer = chance < self.before_chance + self.after_chance
        swallow.append(lose_answer)
        server.sendall(command)
        return True

    def answers(self, client, server, swallow):
        rest = b""
        try:
            while data := server.recv(262144):
                rest += data
                at = 0
                while (end := skip_reply(rest, at)) is not None:
                    if swallow.pop(0):
                        self.cut_after += 1
                        return
                    client.sendall(rest[at:end])
                    at = end
                rest = rest[at:]
        except OSError:
            pass
        finally:
            self.cut(client, server)

    def close(self):
        self.listener.close()
