"""The archive in a bucket of real S3 servers: whatever breaks in between, the union of the files is all offsets,
each once, and both DuckDB and pyarrow read what was sent. Without the condition on the way the same audit finds
doubles."""
import base64
import http.server
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
import uuid

import duckdb
import pyarrow.fs
import pytest

import archive
import kafka_log
from s3_fault_proxy import S3FaultProxy
from s3_servers import BUCKET, KEY, SECRET, SERVERS, TlsGateway, VersityGateway, download

CONFIG = """
[log]
segment_size = "128MiB"

[archive]
bucket = "archive"
endpoint = "{endpoint}"
prefix = "{prefix}"
access_key_id = "penstock-key"
secret_access_key = "${{env:S3_SECRET}}"
file_rows_max = {rows}
roll_interval = "{roll}"
part_size = "5MiB"
connect_timeout = "2s"
request_timeout = "5s"
{more}

[circuit_breaker]
sliding_window_size = 10
minimum_number_of_calls = 6
failure_rate_threshold = 80
wait_duration_in_open_state = "200ms"

[[topic]]
name = "web"
partitions = 3
key = "/user"

[[topic]]
name = "big"
partitions = 1
"""
ENV = {"S3_SECRET": SECRET}


def config(port, prefix="", rows=600, roll="300ms", more="", scheme="http"):
    return CONFIG.format(endpoint=f"{scheme}://127.0.0.1:{port}", prefix=prefix, rows=rows, roll=roll, more=more)


@pytest.fixture(params=SERVERS, ids=lambda server: server.name)
def s3(request):
    yield from running(request.param)


@pytest.fixture
def gateway():
    yield from running(VersityGateway)


def running(kind):
    if reason := kind.unavailable():
        pytest.skip(reason)
    server = kind()
    try:
        server.start()
        yield server
    finally:
        server.remove()


def event(number):
    return json.dumps({"user": f"u{number % 41}", "n": number, "text": "caf\u00e9 " + "x" * (number % 50)},
                      ensure_ascii=False, separators=(",", ":"))


def send(server, first, count):
    for begin in range(first, first + count, 1_000):
        numbers = range(begin, min(begin + 1_000, first + count))
        assert server.accept_events("web", "\n".join(map(event, numbers)))["accepted"] == len(numbers)


def send_big(server, count, seed=7):
    """Events that do not compress, so that files are sent in parts."""
    source = random.Random(seed)
    for begin in range(0, count, 100):
        lines = [json.dumps({"n": begin + i, "noise": base64.b64encode(source.randbytes(11_000)).decode()})
                 for i in range(100)]
        server.accept_events("big", "\n".join(lines))


def ends(server, topics=("web", "big")):
    return {topic: server.log_ends(topic) for topic in topics}


def expected(server, topic):
    """[(partition, offset, value)] of everything in the log, in order."""
    rows = [(one["partition"], one["offset"], one["value"]) for one in map(json.loads, server.event_lines(topic))]
    return sorted(rows, key=lambda row: row[:2])


def audit(folder, topic, rows, at):
    """Problems of a downloaded archive against what the log held: ranges, and values by both readers."""
    problems = archive.check_ranges(folder, topic, at[topic])
    if problems:
        return problems
    by_arrow = [(partition, offset, json.loads(value)) for partition, offset, _, value in archive.rows(folder, topic)]
    by_duckdb = [(partition, offset, json.loads(value)) for partition, offset, value in duckdb.sql(
        f"SELECT partition, \"offset\", value FROM read_parquet('{folder}/archive/topic={topic}/**/*.parquet') "
        f"ORDER BY 1, 2").fetchall()]
    if by_arrow != rows:
        problems.append(f"{topic}: pyarrow reads something else than the log held")
    if by_duckdb != rows:
        problems.append(f"{topic}: DuckDB reads something else than the log held")
    return problems


def audit_all(s3, folder, prefix, held, at):
    files = s3.files()
    keys = download(files, folder, prefix)
    problems = [problem for topic, rows in held.items() for problem in audit(folder, topic, rows, at)]
    return problems + audit_manifest(folder, keys)


def audit_manifest(folder, keys):
    """The manifest names each object once, and nothing else."""
    entries = [json.loads((folder / "archive" / key).read_text()) for key in keys if key.endswith(".json")]
    named = sorted(entry["object"].rpartition("topic=")[2] for entry in entries if "object" in entry)
    there = sorted(key.rpartition("topic=")[2] for key in keys if key.endswith(".parquet"))
    return [] if named == there else ["the manifest and the objects differ"]


def wait_until(condition, server, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, server.log_tail()
        time.sleep(0.02)


def lag(server):
    return server.metric("penstock_archive_lag_records", store="s3")


def missing_faults(proxy, wanted):
    """What the test asks for and has not met yet: how often, by kind."""
    completions = sum(count for kind, count in proxy.faults.items() if kind.startswith("complete"))
    met = {"all": (sum(proxy.faults.values()), wanted), "complete": (completions, 2),
           "object: cut after": (proxy.faults["object: cut after"], 5)}
    return {kind: least - count for kind, (count, least) in met.items() if count < least}


def test_every_offset_is_in_one_object_whatever_breaks(s3, start_penstock, tmp_path, full_run):
    count, kills, restarts, wanted = (400_000, 20, 6, 1_000) if full_run else (100_000, 6, 2, 200)
    s3.files()
    proxy = S3FaultProxy(s3.port, seed=11, secret=SECRET)
    settings = config(proxy.port, prefix="pre/fix/", roll="3s")
    server = start_penstock(settings, env=ENV)
    proxy.chance = 0.35
    send_big(server, 6_000)
    steps = kills + restarts + 1
    for number in range(steps):
        send(server, count * number // steps, count * (number + 1) // steps - count * number // steps)
        if number < kills:
            server.kill()
            server = start_penstock(settings, data_dir=server.data_dir, env=ENV)
        elif number < kills + restarts:
            s3.kill()
            time.sleep(0.3)
            s3.start()
    wait_until(lambda: lag(server) == 0, server, 600)
    for number in range(100):  # until enough went wrong
        if not missing_faults(proxy, wanted):
            break
        send(server, count + 100 * number, 100)
        send_big(server, 100, seed=number)
        wait_until(lambda: lag(server) == 0, server, 600)
    held, at = {topic: expected(server, topic) for topic in ("web", "big")}, ends(server)
    proxy.chance = 0.0
    server.stop()

    assert audit_all(s3, tmp_path, "pre/fix", held, at) == []
    faults = dict(proxy.faults) | {"kill -9 of penstock": kills, "kill -9 of the server": restarts}
    print(s3.name, "faults:", faults, "requests:", dict(proxy.requests))
    assert missing_faults(proxy, wanted) == {}
    proxy.close()


def make_twins(start_penstock, settings, tmp_path, proxy, prefix):
    """Two processes that archive the same records into one place: the first is stopped while it claims its first
    range, the second runs on a copy of its data and gets more events, so that its ranges are others."""
    old = start_penstock(settings, data_dir=tmp_path / f"old-{prefix}", env=ENV)
    proxy.hold("claim")
    send(old, 0, 3_000)
    wait_until(lambda: proxy.held >= 1, old)
    old.process.send_signal(signal.SIGSTOP)
    shutil.copytree(old.data_dir, tmp_path / f"new-{prefix}")
    shutil.rmtree(tmp_path / f"new-{prefix}" / "archive-spool")
    new = start_penstock(settings, data_dir=tmp_path / f"new-{prefix}", env=ENV)
    send(new, 3_000, 3_000)
    wait_until(lambda: proxy.held >= 2, new)
    old.process.send_signal(signal.SIGCONT)
    proxy.release()
    return old, new


def test_two_processes_that_write_the_same_ranges_leave_one_object_each(s3, start_penstock, tmp_path):
    s3.files()
    proxy = S3FaultProxy(s3.port, seed=3, secret=SECRET)
    for number in range(3):
        prefix = f"twins-{number}/"
        old, new = make_twins(start_penstock, config(proxy.port, prefix, rows=100_000), tmp_path, proxy, prefix[:-1])
        send(new, 6_000, 1_000)
        wait_until(lambda: lag(new) == 0, new)
        held, at = {"web": expected(new, "web")}, ends(new)
        old.kill()
        new.stop()
        folder = tmp_path / f"audit-{number}"
        assert audit_all(s3, folder, prefix, held, at) == []

    # The negative control: a server that does not look at If-None-Match lets both write, and it shows.
    proxy.take_off_condition = True
    old, new = make_twins(start_penstock, config(proxy.port, "control/", rows=100_000), tmp_path, proxy, "control")
    wait_until(lambda: lag(new) == 0 and lag(old) == 0, new)
    held, at = {"web": expected(new, "web")}, ends(new)
    old.kill()
    new.stop()
    assert audit_all(s3, tmp_path / "control", "control/", held, at) != []
    proxy.close()


def test_a_server_that_is_away_harms_nobody_else(s3, start_penstock, tmp_path):
    s3.files()
    s3.kill()
    server = start_penstock(config(s3.port, more="also_local = true"), env=ENV)
    send(server, 0, 5_000)
    assert server.get("/health/ready")[0] == 200
    wait_until(lambda: server.metric("penstock_archive_lag_records", store="local", topic="web") == 0, server)
    wait_until(lambda: server.metric("penstock_archive_breaker_state", store="s3") == 1, server)
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(20)
    assert time.monotonic() - began < 10.5, "the stop waits for the dead server"

    s3.start()
    server = start_penstock(config(s3.port, more="also_local = true"), data_dir=server.data_dir, env=ENV)
    wait_until(lambda: lag(server) == 0, server)
    held, at = {"web": expected(server, "web")}, ends(server)
    server.stop()
    assert audit_all(s3, tmp_path, "", held, at) == []
    assert archive.check_ranges(server.data_dir, "web", at["web"]) == []


def test_leftover_uploads_are_aborted(s3, start_penstock, tmp_path):
    files = s3.files(background_writes=False)
    stream = files.open_output_stream(f"{BUCKET}/topic=big/dt=2024-01-01/hour=00/big-0-0-9.parquet")
    stream.write(b"x" * (11 << 20))  # two parts are on their way, and nobody ends it
    server = start_penstock(config(s3.port), env=ENV)
    send(server, 0, 100)
    server.stop()

    with pytest.raises(OSError):
        stream.close()  # its upload is gone


def test_over_tls_only_with_a_certificate_that_is_known(start_penstock, tmp_path):
    for server_of_s3 in running(TlsGateway):
        files = server_of_s3.files(scheme="https", tls_ca_file_path=str(server_of_s3.certificate))
        trusting = config(server_of_s3.port, scheme="https", more=f'ca_file = "{server_of_s3.certificate}"')
        server = start_penstock(trusting, env=ENV)
        send(server, 0, 500)
        wait_until(lambda: lag(server) == 0, server)
        at, held = ends(server), {"web": expected(server, "web")}
        server.stop()
        download(files, tmp_path)
        assert audit(tmp_path, "web", held["web"], at) == []

        doubting = start_penstock(config(server_of_s3.port, scheme="https"), data_dir=tmp_path / "doubt", env=ENV)
        send(doubting, 0, 10)
        wait_until(lambda: "certificate verify failed" in doubting.log_file.read_text(), doubting)
        doubting.kill()


class Role(http.server.BaseHTTPRequestHandler):
    """The metadata service of a machine (version 2), and the endpoint of a container."""
    seen: list = []

    def do_PUT(self):
        self.seen.append(("PUT", self.path, self.headers.get("X-aws-ec2-metadata-token-ttl-seconds")))
        self.reply(b"a-token")

    def do_GET(self):
        self.seen.append(("GET", self.path, self.headers.get("X-aws-ec2-metadata-token")
                          or self.headers.get("Authorization")))
        body = json.dumps({"Code": "Success", "AccessKeyId": KEY, "SecretAccessKey": SECRET, "Token": "",
                           "Expiration": "2100-01-01T00:00:00Z"}).encode()
        self.reply(b"the-role\n" if self.path.endswith("credentials/") else body)

    def reply(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def role():
    Role.seen = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Role)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_credentials_come_from_where_aws_tools_look(gateway, start_penstock, tmp_path, role):
    gateway.files()
    file = tmp_path / "credentials"
    file.write_text(f"[default]\naws_access_key_id = wrong\naws_secret_access_key = wrong\n\n"
                    f"[ours]\naws_access_key_id = {KEY}\naws_secret_access_key={SECRET}\n")
    nothing = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "absent")}
    places = {
        "environment": {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET},
        "file": {"AWS_SHARED_CREDENTIALS_FILE": str(file), "AWS_PROFILE": "ours"},
        "container": nothing | {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{role}/task",
                                "AWS_CONTAINER_AUTHORIZATION_TOKEN": "container-token"},
        "machine": nothing | {"AWS_EC2_METADATA_SERVICE_ENDPOINT": role},
    }
    for place, variables in places.items():
        settings = config(gateway.port, prefix=f"{place}/")
        settings = "\n".join(line for line in settings.splitlines() if "access_key" not in line)
        server = start_penstock(settings, data_dir=tmp_path / place, env=variables)
        send(server, 0, 10)
        wait_until(lambda: server.metric("penstock_archive_rows_total", store="s3", topic="web") == 10, server)
        assert SECRET not in server.log_file.read_text()
        server.kill()
    assert ("GET", "/task", "container-token") in Role.seen
    assert ("PUT", "/latest/api/token", "21600") in Role.seen
    assert ("GET", "/latest/meta-data/iam/security-credentials/the-role", "a-token") in Role.seen


def test_says_what_the_server_refuses(gateway, start_penstock):
    gateway.files()
    server = start_penstock(config(gateway.port), env={"S3_SECRET": "wrong"})
    send(server, 0, 10)

    wait_until(lambda: "SignatureDoesNotMatch" in server.log_file.read_text(), server)
    assert server.get("/health/ready")[0] == 200
    assert "wrong" not in server.log_file.read_text()
    server.kill()


def run(server, data_dir, *arguments):
    """Runs `penstock archive ...` with the settings of `server`; returns the finished process."""
    return subprocess.run([str(server.binary), "archive", *arguments, "--config", str(server.config_file),
                           "--data-dir", str(data_dir)], env={**os.environ, **ENV}, capture_output=True, text=True,
                          timeout=300, check=False)


def test_verify_names_what_is_wrong(s3, start_penstock):
    files = s3.files()
    server = start_penstock(config(s3.port, prefix="v/", rows=1_000), env=ENV)
    send(server, 0, 9_000)
    server.stop()
    sound = run(server, server.data_dir, "verify")
    assert sound.returncode == 0, sound.stdout + sound.stderr
    assert "9000 rows, 0 offsets left out, 0 findings" in sound.stdout

    keys = sorted(info.path for info in files.get_file_info(pyarrow.fs.FileSelector(f"{BUCKET}/v", recursive=True))
                  if info.path.endswith(".parquet"))
    by_partition = {}
    for key in sorted(keys, key=lambda key: int(key.rsplit("-", 2)[1])):
        by_partition.setdefault(key.rsplit("-", 3)[1], []).append(key)
    lost, newest, changed = by_partition["0"][1], by_partition["1"][-1], by_partition["2"][0]
    files.delete_file(lost)
    files.delete_file(newest)
    with files.open_input_stream(changed) as source:
        body = bytearray(source.read())
    body[len(body) // 2] ^= 1
    with files.open_output_stream(changed, metadata=None) as target:
        target.write(bytes(body))

    damaged = run(server, server.data_dir, "verify")
    assert damaged.returncode == 3, damaged.stdout + damaged.stderr
    first = int(lost.rsplit("-", 2)[1])
    assert any("gap" in line and f"-0-{first}-" in line for line in damaged.stdout.splitlines()), damaged.stdout
    assert f"{int(newest.rsplit('-', 2)[1]):020}.json: begun, but not there" in damaged.stdout
    assert f"{changed.rpartition('/')[2]}: " in damaged.stdout and "checksum" in damaged.stdout
    assert "the archive is not as it should be" in damaged.stderr


def test_restores_into_an_empty_log_what_was_archived(s3, start_penstock, tmp_path):
    s3.files()
    server = start_penstock(config(s3.port, rows=2_000), env=ENV)
    send(server, 0, 30_000)
    server.accept_events("web", "\n".join(map(event, range(30_000, 30_010))))
    held, at = expected(server, "web"), ends(server)
    busy = run(server, server.data_dir, "restore", "--topic", "web")
    assert busy.returncode == 1 and busy.stderr, "a running penstock has the log"
    server.stop()

    fresh = tmp_path / "fresh"
    killed = subprocess.Popen([str(server.binary), "archive", "restore", "--topic", "web", "--config",
                               str(server.config_file), "--data-dir", str(fresh)], env={**os.environ, **ENV})
    wait_until(lambda: (fresh / "archive-spool").is_dir() and list((fresh / "archive-spool").iterdir()), server)
    killed.kill()
    killed.wait()
    again = run(server, fresh, "restore", "--topic", "web")
    assert again.returncode == 0, again.stderr
    third = run(server, fresh, "restore", "--topic", "web")
    assert "restored 0 records" in third.stdout

    server = start_penstock(config(s3.port, rows=2_000), data_dir=fresh, env=ENV)
    assert expected(server, "web") == held and ends(server) == at
    one = json.loads(next(server.event_lines("web", partition=1)))
    assert one["headers"]["penstock.restored.topic"] == "web"
    assert one["headers"]["penstock.restored.offset"] == str(one["offset"])

    # The archive goes on behind what was restored, for the offsets are the same.
    send(server, 40_000, 2_000)
    wait_until(lambda: lag(server) == 0, server)
    held, at = {"web": expected(server, "web")}, ends(server)
    server.stop()
    assert audit_all(s3, tmp_path, "", held, at) == []


def test_on_kafka_several_processes_may_archive_the_same_topics(kafka_cluster, gateway, start_penstock, tmp_path):
    gateway.files()
    proxy = S3FaultProxy(gateway.port, seed=5, secret=SECRET)
    name = f"s3-{uuid.uuid4().hex[:8]}"
    # Files of different sizes, so that ranges which begin together do not end together.
    settings, other = [kafka_log.config(kafka_cluster, name, "[archive]" + config(proxy.port, rows=rows).split(
        "[archive]", 1)[1]) for rows in (500, 700)]
    edge = start_penstock(settings, data_dir=tmp_path / "edge", command="gateway", env=ENV)
    by_sink = [settings, other]
    sinks = [start_penstock(by_sink[n], data_dir=tmp_path / f"sink-{n}", command="sink", env=ENV) for n in range(2)]
    proxy.chance = 0.25
    for number in range(8):
        send(edge, number * 2_500, 2_500)
        if number in (2, 5):
            killed = number % 2
            sinks[killed].kill()
            sinks[killed] = start_penstock(by_sink[killed], data_dir=sinks[killed].data_dir, command="sink", env=ENV)
    edge.stop()
    held = {"web": sorted(((record.partition(), record.offset(), json.loads(record.value()))
                           for records in kafka_log.records(kafka_cluster, f"{name}.web").values()
                           for record in records), key=lambda row: row[:2])}
    at = {"web": {partition: 1 + max(row[1] for row in held["web"] if row[0] == partition) for partition in range(3)}}
    wait_until(lambda: all(lag(sink) == 0 for sink in sinks), sinks[0])
    proxy.chance = 0.0
    written = [sink.metric("penstock_archive_files_total", store="s3", topic="web") for sink in sinks]
    for sink in sinks:
        sink.stop()

    assert audit_all(gateway, tmp_path, "", held, at) == []
    print("files written by each process:", written, "faults:", sum(proxy.faults.values()))
    assert sum(filter(None, written)) > 0  # by whom is the group's business
    proxy.close()
