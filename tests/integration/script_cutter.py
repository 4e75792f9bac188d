"""ScriptCutter breaks connections to a Redis server around scripts that write records.

It may also change the text of scripts, so that a test can see what their checks are good for."""
from cutting_proxy import CuttingProxy, Fate


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


class ScriptCutter(CuttingProxy):
    def __init__(self, target_port, seed, changes=()):
        self.changes = changes
        super().__init__(target_port, seed)

    @staticmethod
    def writes_records(words):
        """Whether it is the script of a write: more keys than that of the position."""
        return words[0] in (b"EVALSHA", b"EVAL") and int(words[2]) > 1 and not words[4].endswith(b":probe")

    def begin(self):
        return []  # for each command on its way: whether its reply must not get through

    def requests(self, client, server, swallow):
        rest = b""
        while data := client.recv(262144):
            rest += data
            at = 0
            while True:
                words, end = take_words(rest, at)
                if words is None:
                    break
                command, at = self.changed(words, rest[at:end]), end
                fate = self.fate() if self.writes_records(words) else Fate.PASSES
                if fate == Fate.IS_CUT:
                    return
                swallow.append(fate == Fate.LOSES_ITS_ANSWER)
                server.sendall(command)
            rest = rest[at:]

    def changed(self, words, command):
        if not self.changes or words[:1] not in ([b"SCRIPT"], [b"EVAL"]):
            return command
        place = 2 if words[0] == b"SCRIPT" else 1
        for old, new in self.changes:
            words[place] = words[place].replace(old, new)
        return encoded(words)

    def answers(self, client, server, swallow):
        rest = b""
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
