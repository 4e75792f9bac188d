"""`penstock bench` measures what it says: its latency is that of the schedule, its counts are checked, and
it fails where they are wrong. Against a server of its own, and against one made to stall or to lie."""
import http.server
import json
import re
import socket
import socketserver
import subprocess
import threading
import time

import pytest


def bench(penstock_bin, *arguments, timeout=120):
    done = subprocess.run([penstock_bin, "bench", *map(str, arguments), "--json"], capture_output=True,
                          text=True, timeout=timeout)
    return done, json.loads(done.stdout) if done.stdout else None


class FakeServer(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Answers like a penstock that counts its lines, with faults on demand."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.counted = 0
        self.lost = 0            # events that are acknowledged and then forgotten
        self.stall = (0.0, 0.0)  # no answers between these seconds after the first request
        self.refused = 0         # so many requests are refused first
        self.close_after = None  # the first connection ends after so many answers
        self.gather = 1          # no answer before so many requests have come; then all at once
        self.began = None
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def take(self, body):
        with self.lock:
            self.began = self.began or time.monotonic()
            if self.refused > 0:
                self.refused -= 1
                return None
            events = len(body.split(b"\n"))
            self.counted += events
        begin, end = self.stall
        passed = time.monotonic() - self.began
        if begin <= passed < end:
            time.sleep(end - passed)
        return events


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet

    def log_message(self, *_):
        pass

    def answer(self, body, status=200, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def end_connection(self):
        """Ends it as a proxy may: no announcement, and what else was sent is read and not answered."""
        self.server.close_after = None
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_WR)
        self.rfile.read()
        self.close_connection = True

    def do_POST(self):
        if self.server.close_after == 0:
            self.end_connection()
            return
        if self.server.close_after:
            self.server.close_after -= 1
        taken = [self.take_body()]
        while len(taken) < self.server.gather:
            self.raw_requestline = self.rfile.readline()
            if not self.parse_request():
                return
            taken.append(self.take_body())
        for events in taken:
            if events is None:
                self.answer('{"code":"busy","message":"busy"}', 429, [("Retry-After", "1")])
            else:
                self.answer(f'{{"accepted":{events},"duplicates":0,"dead_lettered":0,"errors":[]}}')

    def take_body(self):
        return self.server.take(self.rfile.read(int(self.headers["Content-Length"])))

    def do_GET(self):
        counted = self.server.counted - (self.server.lost if self.server.counted else 0)
        if self.path == "/v1/topics/bench":
            self.answer(f'{{"name":"bench","partitions":[{{"partition":0,"start":0,"end":{counted}}}]}}')
        elif self.path.startswith("/v1/stores/bench_counts"):
            found = 0 if "to=" in self.path else counted  # all in the newest window
            self.answer(f'{{"entries":[{{"key":["u"],"count":{found}}}],"cursor":null,'
                        f'"complete_to":{{"bench":{{"0":{counted}}}}}}}')
        elif self.path == "/metrics":
            self.answer("# nothing\n")
        else:
            self.answer('{"status":"ready"}')


@pytest.fixture
def fake():
    server = FakeServer()
    yield server
    server.shutdown()
    server.server_close()


def test_a_stall_is_charged_to_every_request_that_was_due_in_it(penstock_bin, fake):
    fake.stall = (1.0, 2.0)

    done, report = bench(penstock_bin, "--url", fake.url, "--seconds", 3, "--rate", 500,
                         "--request-bytes", 1, "--connections", 2)

    # A third of all requests were due in a second without answers: they waited half of it on average.
    # Counted from the sending, two connections would have seen two slow requests of 1500.
    assert done.returncode == 0, done.stderr
    assert report["events"] == 1500
    assert report["ack_ms"]["p50"] < 900 < report["ack_ms"]["p99"]
    assert report["conditions"]["ack_counted_from"] == "scheduled send"


def test_a_rate_is_kept(penstock_bin, fake):
    _, report = bench(penstock_bin, "--url", fake.url, "--seconds", 2, "--rate", 20_000,
                      "--request-bytes", 10_000, "--connections", 8)

    assert 39_000 <= report["events"] <= 40_200
    assert report["seconds"] > 1.8  # no upper bound: the machine may be busy with other things


def test_events_that_are_lost_are_found_and_fail_the_run(penstock_bin, fake):
    fake.lost = 1

    done, report = bench(penstock_bin, "--url", fake.url, "--seconds", 0.5, "--rate", 1000,
                         "--connections", 2)

    assert done.returncode == 1
    assert report["counts_exact"] is False
    assert report["in_log"] == report["accepted"] - 1


def test_refused_requests_are_reported_and_fail_the_run(penstock_bin, fake):
    fake.refused = 3

    done, report = bench(penstock_bin, "--url", fake.url, "--seconds", 0.5, "--rate", 1000,
                         "--request-bytes", 1, "--connections", 4)

    assert done.returncode == 1
    assert report["counts_exact"] is True
    assert report["errors"]["refused"] == 3


def test_a_pipeline_sends_its_requests_without_waiting_for_answers(penstock_bin, fake):
    fake.gather = 8  # who waited for an answer would wait for ever

    done, report = bench(penstock_bin, "--url", fake.url, "--seconds", 0.5, "--rate", 800,
                         "--request-bytes", 1, "--connections", 2, "--pipeline", 8)

    assert done.returncode == 0, done.stderr
    assert report["requests"] == report["events"] == 400
    assert report["conditions"]["pipeline"] == 8


def test_requests_of_a_pipeline_are_timed_from_when_each_was_due(penstock_bin, fake):
    _, report = bench(penstock_bin, "--url", fake.url, "--seconds", 1, "--rate", 100,
                      "--request-bytes", 1, "--connections", 2, "--pipeline", 50)

    # A burst goes out when its last request is due: the first has waited for 490 ms by then.
    assert report["requests"] == 100
    assert report["ack_ms"]["p50"] > 200
    assert report["ack_ms"]["p99"] > 400


def test_what_a_broken_connection_leaves_unanswered_is_unknown(penstock_bin, fake):
    fake.close_after = 3

    done, report = bench(penstock_bin, "--url", fake.url, "--seconds", 0.5, "--rate", 800,
                         "--request-bytes", 1, "--connections", 1, "--pipeline", 8)

    assert done.returncode == 1
    assert report["errors"]["unknown"] == 5
    assert report["requests"] == 395
    assert report["counts_exact"] is True


def test_what_a_foreign_server_does_not_tell_is_null(penstock_bin, fake):
    _, report = bench(penstock_bin, "--url", fake.url, "--seconds", 0.2, "--rate", 1000)

    for name in ("disk_mb_per_second_durable", "disk_sync_ms_p50", "log_bytes_per_event", "log_mb_per_second"):
        assert report[name] is None


def test_no_server_is_one_sentence(penstock_bin):
    done, report = bench(penstock_bin, "--url", "http://127.0.0.1:1")

    assert done.returncode == 1 and report is None
    assert re.fullmatch(r"penstock bench: .*127\.0\.0\.1:1.*\n", done.stderr)


@pytest.mark.parametrize("arguments, named", [
    (["--event-bytes", 10], "--event-bytes"), (["--keys", 0], "--keys"), (["--zipf", 2], "--zipf"),
    (["--seconds", 0], "--seconds"), (["--url", "ftp://x"], "ftp://x"), (["--pipeline", 0], "--pipeline"),
    (["--pipeline", 1024, "--connections", 10000], "--pipeline"),
    (["--request-bytes", 0, "--event-bytes", 0], "--event-bytes")])
def test_a_wrong_option_is_named(penstock_bin, arguments, named):
    done, report = bench(penstock_bin, *arguments)

    assert done.returncode == 2 and report is None
    assert named in done.stderr


@pytest.mark.parametrize("arguments", [
    ["--keys", 1000], ["--request-bytes", 1, "--keys", 100], ["--rate", 20_000, "--zipf", 0.9],
    ["--request-bytes", 1, "--keys", 100, "--pipeline", 16], ["--keys", 1000, "--connections", 4, "--pipeline", 8]],
    ids=["saturated", "one event per request", "rated", "pipelined", "pipelined beyond the socket's buffer"])
def test_its_own_server_counts_exactly(penstock_bin, tmp_path, arguments):
    done, report = bench(penstock_bin, "--seconds", 1.5, "--directory", tmp_path, *arguments)

    assert done.returncode == 0, done.stderr
    assert report["counts_exact"] is True
    assert report["accepted"] == report["in_log"] == report["in_store"] == report["events"] > 1000
    for latency in ("ack_ms", "processed_ms"):
        assert 0 < report[latency]["p50"] <= report[latency]["p99"] <= report[latency]["p999"]
    assert report["server_cpu_ns_per_event"] > 0
    assert report["client_cpu_ns_per_event"] > 0
    assert report["rss_bytes"] > 1_000_000
    assert report["disk_mb_per_second_durable"] > 0
    assert report["disk_sync_ms_p50"] > 0
    assert report["log_bytes_per_event"] > 0
    written_mb = report["log_bytes_per_event"] * report["events"] / 1e6
    assert report["log_mb_per_second"] * report["processed_seconds"] == pytest.approx(written_mb, rel=0.01)
    assert list(tmp_path.iterdir()) == [], "the data directory is left behind"


def test_the_disk_probe_can_be_left_out(penstock_bin, tmp_path):
    done, report = bench(penstock_bin, "--seconds", 0.2, "--rate", 1000, "--directory", tmp_path, "--no-disk-probe")

    assert done.returncode == 0, done.stderr
    assert report["disk_mb_per_second_durable"] is None
    assert report["log_bytes_per_event"] > 0


def test_people_get_text(penstock_bin, tmp_path):
    done = subprocess.run([penstock_bin, "bench", "--seconds", "1.5", "--keys", "100", "--directory", tmp_path],
                          capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stderr
    assert "events/s" in done.stdout
    assert "counts      exact" in done.stdout
    assert re.search(r"log +[0-9.]+ MB/s, [0-9]+ bytes per event", done.stdout)
    assert re.search(r"disk +[0-9.]+ MB/s by itself", done.stdout)
