"""The program itself against a risk service that is slow, fails and does not know all cards: alerts and dead
letters must be there exactly once, also if the program is killed in between.

Usage: run_test.py PROGRAM
"""
import collections
import http.server
import random
import signal
import subprocess
import sys
import tempfile
import threading

CARDS = 40


class RiskService(http.server.ThreadingHTTPServer):
    """Answers each card's first question with 503, some questions slowly, those of one card never well."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), RiskHandler)
        self.lock = threading.Lock()
        self.asked = collections.Counter()
        self.under_way = 0
        self.most_under_way = 0
        self.half_done = threading.Event()
        self.random = random.Random(5)

    def handle_error(self, *_):
        """A client that is killed is part of the test."""


class RiskHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        card = self.path.rsplit("/", 1)[1]
        with self.server.lock:
            self.server.asked[card] += 1
            first = self.server.asked[card] == 1
            self.server.under_way += 1
            self.server.most_under_way = max(self.server.most_under_way, self.server.under_way)
            slow = self.server.random.uniform(0.005, 0.05)
            if len(self.server.asked) > CARDS // 2:
                self.server.half_done.set()
        threading.Event().wait(slow)  # the service is slow; nothing waits for this to be over
        with self.server.lock:
            self.server.under_way -= 1
        number = int(card.split("-")[1])
        if first or number == 0:
            self.answer(503, "")
        elif number == 1:
            self.answer(404, "")
        else:
            self.answer(200, "90" if number % 2 == 0 else "10")

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


def payments():
    lines = ["card-9 much shoes 5"]
    for step in range(1, 4):
        lines += [f"card-{number} {step * 100} shop {step * 1000}" for number in range(CARDS)]
    return "\n".join(lines) + "\n"


def main(program):
    service = RiskService()
    threading.Thread(target=service.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{service.server_port}/risk"
    with tempfile.TemporaryDirectory() as folder:
        killed = subprocess.Popen([program, folder, url], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        killed.stdin.write(payments().encode())
        killed.stdin.close()
        assert service.half_done.wait(60), "the service is not asked"
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        done = subprocess.run([program, folder, url], input="", capture_output=True, text=True, timeout=120)
        again = subprocess.run([program, folder, url], input="", capture_output=True, text=True, timeout=120)
    service.shutdown()

    assert done.returncode == 0, done.stderr
    lines = sorted(done.stdout.splitlines())
    expected = [f"alert card-{number} 90 600 shop" for number in range(2, CARDS, 2)]
    expected += ["dead-letter card-0 300 shop", "dead-letter card-1 300 shop", "dead-letter card-9 much shoes"]
    assert lines == sorted(expected), lines
    assert sorted(again.stdout.splitlines()) == lines, "a run without input changes nothing"
    assert service.most_under_way > 1, "calls are made one after the other"


if __name__ == "__main__":
    main(sys.argv[1])
