"""S3FaultProxy stands between Penstock and an S3 server and does what networks and servers do.

A request may be lost before the server has it, or the server does it and the answer is lost, or is an error, or
is 200 with an error in it. `take_off_condition` is for the negative control: the header If-None-Match does not
arrive, as with a server that does not know it."""
import collections
import hashlib
import hmac
import http.client
import random
import re
import socket
import threading
import urllib.parse

from penstock_process import free_port

INTERNAL = ('<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code><Message>We encountered an '
            'internal error. Please try again.</Message></Error>')
SLOW = ('<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SlowDown</Code><Message>Please reduce your request '
        'rate.</Message></Error>')


class Lost(Exception):
    """The connection to the client is to be cut."""


class Request:
    def __init__(self, head, body):
        line, *fields = head.decode().split("\r\n")
        self.method, self.target, _ = line.split(" ")
        self.headers = [tuple(field.split(": ", 1)) for field in fields]
        self.body = body

    def header(self, name):
        return next((value for field, value in self.headers if field.lower() == name.lower()), None)

    @property
    def path(self):
        return urllib.parse.unquote(self.target.split("?")[0])

    @property
    def kind(self):
        """"claim", "object", "part", "complete" or the method."""
        if self.method == "PUT" and "partNumber" in self.target:
            return "part"
        if self.method == "POST" and "uploadId" in self.target:
            return "complete"
        if self.method == "PUT":
            return "claim" if self.path.endswith(".json") else "object"
        return self.method


def sign_again(request, secret):
    """The Authorization that belongs to the request as it is now."""
    found = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d+)/([^/]+)/s3/aws4_request, SignedHeaders=(\S+), "
                         r"Signature=\w+", request.header("Authorization"))
    names = [name for name in found[4].split(";") if request.header(name) is not None]
    path, _, query = request.target.partition("?")
    canonical = "\n".join([request.method, path, query,
                           *[f"{name}:{request.header(name).strip()}" for name in names], "", ";".join(names),
                           request.header("x-amz-content-sha256")])
    scope = f"{found[2]}/{found[3]}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", request.header("x-amz-date"), scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4" + secret.encode()
    for part in [found[2], found[3], "s3", "aws4_request"]:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return (f"AWS4-HMAC-SHA256 Credential={found[1]}/{scope}, SignedHeaders={';'.join(names)}, "
            f"Signature={signature}")


class S3FaultProxy:
    """One thread for each connection. `faults` counts what was done, by kind."""

    def __init__(self, target_port, seed, secret):
        self.port, self.target_port, self.secret = free_port(), target_port, secret
        self.random = random.Random(seed)
        self.chance = 0.0
        self.decks = collections.defaultdict(list)
        self.faults = collections.Counter()
        self.requests = collections.Counter()
        self.take_off_condition = False
        self.lock = threading.Lock()
        self.gate, self.held_kind, self.held = threading.Event(), None, 0
        self.gate.set()
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, daemon=True).start()

    def hold(self, kind):
        """From now on no request of this kind gets through, until release()."""
        self.held, self.held_kind = 0, kind
        self.gate.clear()

    def release(self):
        self.gate.set()

    def close(self):
        self.release()
        self.listener.close()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        stream = client.makefile("rb")
        try:
            while (request := self.read(stream)) is not None:
                client.sendall(self.answer(request))
        except (OSError, Lost, http.client.HTTPException):
            pass
        finally:
            stream.close()
            client.close()

    @staticmethod
    def read(stream):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = stream.readline()
            if not line:
                return None
            head += line
        size = re.search(rb"(?i)\r\ncontent-length: (\d+)\r\n", head)
        return Request(head[:-4], stream.read(int(size[1])) if size else b"")

    def choose(self, kind):
        """What to do to this request, or None."""
        with self.lock:
            self.requests[kind] += 1
            # Uploads in parts are completed rarely, and that is where it matters most.
            if self.random.random() >= self.chance * (1.7 if kind == "complete" else 1):
                return None
            fault = self.deal(kind)
            self.faults[f"{kind}: {fault}" if kind in ("complete", "object", "part", "claim") else fault] += 1
            return fault

    def deal(self, kind):
        """The next card of a shuffled deck, one for each kind: of few requests, too, all faults are seen."""
        deck = self.decks[kind]
        if not deck:
            deck += ["cut before", "cut after", "cut after", "503"]
            deck += ["200 with error", "200 with error after"] if kind == "complete" else ["500", "SlowDown"]
            self.random.shuffle(deck)
        return deck.pop()

    def answer(self, request):
        kind = request.kind
        if not self.gate.is_set() and kind == self.held_kind:
            self.held += 1
            self.gate.wait()
        fault = self.choose(kind)
        if fault == "cut before":
            raise Lost
        if fault == "500":
            return self.message(500, INTERNAL, request)
        if fault in ("503", "SlowDown"):
            return self.message(503, SLOW if fault == "SlowDown" else "", request)
        if fault == "200 with error":
            return self.message(200, INTERNAL, request)
        status, headers, body = self.forward(request)
        if fault == "cut after":
            raise Lost
        if fault == "200 with error after":
            return self.message(200, INTERNAL, request)
        lines = [f"HTTP/1.1 {status} x"]
        lines += [f"{name}: {value}" for name, value in headers
                  if name.lower() not in ("content-length", "transfer-encoding", "connection")]
        size = next((value for name, value in headers if name.lower() == "content-length"), len(body))
        lines.append(f"Content-Length: {size if request.method == 'HEAD' else len(body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body

    @staticmethod
    def message(status, text, request):
        body = b"" if request.method == "HEAD" else text.encode()
        return (f"HTTP/1.1 {status} x\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n"
                ).encode() + body

    def forward(self, request):
        headers = request.headers
        if self.take_off_condition and request.header("If-None-Match"):
            headers = request.headers = [field for field in headers if field[0].lower() != "if-none-match"]
            authorization = sign_again(request, self.secret)
            headers = [field if field[0] != "Authorization" else ("Authorization", authorization)
                       for field in headers]
        connection = http.client.HTTPConnection("127.0.0.1", self.target_port, timeout=60)
        try:
            connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            connection.endheaders(request.body or None)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()
