"""The Redis sink against real servers: every event exactly once in Redis or in the dead letter topic, whatever breaks
in between; without its checks, or with the positions set back, the same audit finds doubles."""
import collections
import json
import shutil
import signal
import subprocess
import time

import pytest

from penstock_process import free_port
from redis_server import RedisError, RedisServer
from script_cutter import ScriptCutter
from sink_config import BREAKER, SMALL
from waiting import wait_until

PARTITIONS = 4
CONFIG = SMALL + BREAKER + """
[[topic]]
name = "app"
partitions = 4
key = "/user"
timestamp = "/at"
"""
SINK = """
[[redis]]
name = "{name}"
topic = "app"
servers = ["127.0.0.1:{port}"]
batch_rows_max = {rows}
batch_time_max = "20ms"
retry_wait_min = "5ms"
retry_wait_max = "100ms"
connect_timeout = "500ms"
request_timeout = "2s"
"""
# What each sink keeps. `seen` counts each event by itself: each of its counters must be 1.
SINKS = {
    "seen": 'mode = "counter"\nkey = "seen:%{/n}"',
    "counts": 'mode = "counter"\nkey = "counts"\nfield = "%{/user}"\nincrement = "/by"',
    "last": 'key = "last:%{/user}"',
    "board": 'mode = "sorted_set"\nkey = "board"\nmember = "%{/user}"\nscore = "/by"\nscore_update = "add"',
    "sessions": 'mode = "session"\nkey = "session:%{/user}"\nfields = ["/n:n"]\nttl = "3000d"',
}
# Events that the server refuses `counts`, and events that do not fit `counts` and `board`.
REFUSED_EVERY, MISFITS_EVERY = 2_500, 5_000
BIG = 9_000_000_000_000_000_000
NOW_MS = int(time.time() * 1000)


@pytest.fixture
def start_redis():
    """start_redis(option, ...) -> a running RedisServer; all are killed when the test ends. `prepare` may put
    something into its folder."""
    started = []

    def start(*options, prepare=lambda server: None, **more):
        server = RedisServer(*options, **more)
        started.append(server)
        prepare(server)
        return server.start()

    yield start
    for server in started:
        server.remove()


def is_refused(number):
    return number % REFUSED_EVERY == 7


def is_misfit(number):
    return number % MISFITS_EVERY == 11


def event(number):
    """Every refused event but the first would make the counter of `big` too large: always, in whatever state."""
    by = BIG if is_refused(number) else "much" if is_misfit(number) else number % 7 + 1
    return {"n": number, "user": "big" if is_refused(number) else f"u{number % 37}", "by": by, "at": NOW_MS + number}


def send(server, first, count):
    for begin in range(first, first + count, 2_000):
        numbers = range(begin, min(begin + 2_000, first + count))
        body = "\n".join(json.dumps(event(number), separators=(",", ":")) for number in numbers)
        assert server.accept_events("app", body)["accepted"] == len(numbers)


def config(port, sinks=SINKS, more="", rows=300):
    return CONFIG + "".join(SINK.format(name=name, port=port, rows=rows) + how + "\n" + more
                            for name, how in sinks.items())


def positions(redis, sink):
    """{partition: where the sink goes on}, of those that it has begun."""
    found = redis.ask_all([["HGET", f"penstock:{sink}:app:{partition}", "next_offset"]
                           for partition in range(PARTITIONS)])
    return {partition: int(offset) for partition, offset in enumerate(found) if offset is not None}


def progress(redis):
    return sum(sum(positions(redis, sink).values()) for sink in SINKS)


def settled_progress(redis):
    """With a process that is stopped: what is still on its way from it never arrives, however little of it Redis has
    read so far."""
    redis.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    return progress(redis)


def is_delivered(redis, server, sinks=SINKS):
    ends = server.log_ends("app")
    try:
        return all(positions(redis, sink) == ends for sink in sinks)
    except OSError:
        return False  # it is away at the moment


def wait_until_delivered(redis, server, seconds=120, each=lambda: None, sinks=SINKS):
    try:
        wait_until(lambda: is_delivered(redis, server, sinks), server, seconds, each)
    except AssertionError as error:
        where = {sink: positions(redis, sink) for sink in sinks}
        raise AssertionError(f"{where} of {server.log_ends('app')}\n{error}") from error


def dead_letters(server):
    """{sink: Counter of the numbers of its dead letters}"""
    letters = collections.defaultdict(collections.Counter)
    for line in server.event_lines("app.dlq"):
        letter = json.loads(line)
        headers = letter["headers"]
        assert headers["penstock.dlq.code"] == "sink_refused"
        number = json.loads(letter["value"])["n"] if isinstance(letter["value"], str) else letter["value"]["n"]
        if is_refused(number):
            assert "would overflow" in headers["penstock.dlq.message"]
        else:
            assert "/by is string much" in headers["penstock.dlq.message"].replace('"', "")
        letters[headers["penstock.dlq.sink"]][number] += 1
    return letters


def expected(count):
    """What Redis must hold after the events up to `count`, and which of them are dead letters."""
    sums, newest, events, board = (collections.Counter() for _ in range(4))
    letters = {"counts": set(), "board": set()}
    for number in range(count):
        one = event(number)
        newest[one["user"]], events[one["user"]] = number, events[one["user"]] + 1
        if is_misfit(number):
            letters["counts"].add(number)
            letters["board"].add(number)
            continue
        board[one["user"]] += one["by"]
        if is_refused(number) and sums["big"]:
            letters["counts"].add(number)
        else:
            sums[one["user"]] += one["by"]
    return sums, newest, events, board, letters


def differences(what, found, wanted):
    return [f"{what} {key}: {found.get(key)} instead of {wanted.get(key)}" for key in sorted({**found, **wanted})
            if found.get(key) != wanted.get(key)]


def audit(redis, server, count, letters_max=1):
    """Problems of Redis and the dead letters against what was sent."""
    sums, newest, events, board, letters = expected(count)
    seen = {}
    for begin in range(0, count, 10_000):
        numbers = range(begin, min(begin + 10_000, count))
        seen.update(zip(numbers, redis.ask("MGET", *[f"seen:{number}" for number in numbers])))
    problems = differences("seen", seen, {number: "1" for number in range(count)})
    counts = redis.ask("HGETALL", "counts")
    problems += differences("counts", dict(zip(counts[::2], counts[1::2])), {k: str(v) for k, v in sums.items()})
    last = {user: json.loads(redis.ask("GET", f"last:{user}") or '{"n":-1}')["n"] for user in newest}
    problems += differences("last", last, newest)
    scores = redis.ask("ZRANGE", "board", "0", "-1", "WITHSCORES")
    problems += differences("board", {user: float(score) for user, score in zip(scores[::2], scores[1::2])},
                            {user: float(score) for user, score in board.items()})
    sessions = {user: redis.ask("HMGET", f"session:{user}", "events", "n") for user in events}
    problems += differences("session", sessions, {user: [str(events[user]), str(newest[user])] for user in events})
    found = dead_letters(server)
    for sink in SINKS:
        for number in sorted(set(found[sink]) | letters.get(sink, set())):
            times = found[sink][number]
            if not (number in letters.get(sink, set()) and 1 <= times <= letters_max):
                problems.append(f"{number} is {times} times a dead letter of {sink}")
    if not is_delivered(redis, server):
        problems.append("the positions are not at the log's end")
    return problems


def make_zombie(server, start_penstock, redis, proxy, tmp_path, number):
    """Stops `server` while its scripts are on their way, starts its successor on a copy of its data, wakes it up,
    and sees it displaced. Every other time the scripts never arrive. Returns the successor."""
    wait_until(lambda: proxy.held >= len(SINKS) * (number + 1), server)
    server.process.send_signal(signal.SIGSTOP)
    copy = tmp_path / f"data-{number}"
    shutil.copytree(server.data_dir, copy)
    before = {sink: sum(positions(redis, sink).values()) for sink in SINKS}
    proxy.release(cut=number % 2 == 1)
    successor = start_penstock(config(proxy.port), data_dir=copy)
    wait_until(lambda: all(sum(positions(redis, sink).values()) > before[sink] for sink in SINKS), successor)
    server.process.send_signal(signal.SIGCONT)
    wait_until(lambda: server.log_file.read_text().count("stopped for good") == len(SINKS), server)
    assert server.log_file.read_text().count("another process has taken this sink over") == len(SINKS)
    assert server.metric("penstock_sink_up", sink="seen") == 0
    server.kill()
    return successor


def test_every_event_is_exactly_once_in_redis_or_a_dead_letter(start_penstock, start_redis, tmp_path, full_run):
    count, kills, zombies, cuts = (500_000, 30, 10, 1_000) if full_run else (100_000, 6, 3, 200)
    redis = start_redis("--appendonly", "yes", "--appendfsync", "no")
    proxy = ScriptCutter(redis.port, seed=1)
    server = start_penstock(config(proxy.port))
    sent = 0

    for number in range(zombies):
        proxy.hold()
        send(server, sent, 8_000)
        sent += 8_000
        server = make_zombie(server, start_penstock, redis, proxy, tmp_path, number)
    send(server, sent, count - sent)
    proxy.before_chance, proxy.after_chance = 0.05, 0.15
    killed, next_kill = 0, time.monotonic()

    def disturb():
        nonlocal killed, next_kill
        if proxy.cut_before + proxy.cut_after >= cuts:
            proxy.before_chance = proxy.after_chance = 0.0
        if killed < kills and time.monotonic() > next_kill:
            redis.kill()
            redis.start()
            killed += 1
            next_kill = time.monotonic() + 1

    wait_until_delivered(redis, server, seconds=900 if full_run else 240, each=disturb)
    while proxy.cut_before + proxy.cut_after < cuts:  # batches were large, so that few were cut
        send(server, count, 500)
        count += 500
        wait_until_delivered(redis, server, each=disturb)

    assert audit(redis, server, count) == []
    faults = {"cut after the script": proxy.cut_after, "cut before the script": proxy.cut_before,
              "kill -9 of the server": killed, "zombies": zombies}
    print("faults:", faults)
    assert sum(faults.values()) >= 200, faults
    assert proxy.cut_after >= 50
    assert server.imbalance() == 0

    # The negative control: the positions are what it hangs on, and the audit sees doubles.
    for sink in SINKS:
        redis.ask_all([["HINCRBY", f"penstock:{sink}:app:{partition}", "next_offset", "-10"]
                       for partition in range(PARTITIONS)])
    wait_until(lambda: not is_delivered(redis, server), server)
    wait_until_delivered(redis, server)
    problems = audit(redis, server, count)
    for what in ("seen", "counts", "board", "session"):
        assert any(problem.startswith(what) for problem in problems), problems
    assert sum(problem.startswith("seen") for problem in problems) == 10 * PARTITIONS
    proxy.close()


def test_without_its_checks_a_zombie_writes_twice(start_penstock, start_redis, tmp_path):
    """The negative control of lease and position: the proxy takes the comparisons out of the scripts."""
    redis = start_redis()
    proxy = ScriptCutter(redis.port, seed=2, changes=[(b"stored[2] ~= ARGV[1]", b"false"),
                                                      (b"stored[1] ~= ARGV[2]", b"false")])
    sinks = {"seen": SINKS["seen"]}
    server = start_penstock(config(proxy.port, sinks))
    proxy.hold()
    send(server, 0, 1_000)
    wait_until(lambda: proxy.held >= 1, server)
    server.process.send_signal(signal.SIGSTOP)
    copy = tmp_path / "copy"
    shutil.copytree(server.data_dir, copy)
    successor = start_penstock(config(redis.port, sinks), data_dir=copy)
    wait_until_delivered(redis, successor, sinks=sinks)
    assert redis.ask("MGET", *[f"seen:{number}" for number in range(1_000)]) == ["1"] * 1_000

    proxy.release(cut=False)
    wait_until(lambda: "2" in redis.ask("MGET", *[f"seen:{number}" for number in range(1_000)]), successor)
    proxy.close()


def append_only_file(redis):
    return max(redis.folder.glob("appendonlydir/*.incr.aof"))


def lose_newest_writes(redis, number):
    """As the machine loses power under appendfsync everysec: what was written last never reached the disk, and it
    ends in the middle of something."""
    redis.kill()
    file = append_only_file(redis)
    with file.open("r+b") as writable:
        writable.truncate(max(0, file.stat().st_size - 50_000 - 7_777 * number))
    redis.start()


def test_a_server_that_loses_its_newest_writes_heals(start_penstock, start_redis, full_run):
    count, rounds = (300_000, 40) if full_run else (60_000, 6)
    redis = start_redis("--appendonly", "yes", "--appendfsync", "everysec")
    server = start_penstock(config(redis.port))
    lost = []

    for number in range(rounds):
        send(server, number * count // rounds, count // rounds)
        server.process.send_signal(signal.SIGSTOP)  # so that nothing is mended before it is measured
        before = settled_progress(redis)
        if number % 3 == 2:
            redis.ask("FLUSHALL")
        else:
            lose_newest_writes(redis, number)
        lost.append(before - progress(redis))
        server.process.send_signal(signal.SIGCONT)
        wait_until_delivered(redis, server, seconds=300)  # or what is lost next may be the FLUSHALL

    assert all(events > 0 for events in lost), lost
    assert audit(redis, server, count, letters_max=1 + rounds) == []

    # While nothing comes, too.
    redis.ask("FLUSHALL")
    wait_until(lambda: not is_delivered(redis, server), server)
    wait_until_delivered(redis, server, seconds=300)
    assert audit(redis, server, count, letters_max=2 + rounds) == []


def test_a_failover_to_a_stale_replica_heals(start_penstock, start_redis):
    master, replica = start_redis(), start_redis()
    replica.ask("REPLICAOF", "127.0.0.1", master.port)
    proxy = ScriptCutter(master.port, seed=3)
    server = start_penstock(config(proxy.port))
    send(server, 0, 10_000)
    wait_until_delivered(master, server)
    wait_until(lambda: positions(replica, "seen") == positions(master, "seen"), server)
    replica.ask("REPLICAOF", "NO", "ONE")  # from here on it misses what comes
    send(server, 10_000, 10_000)
    wait_until_delivered(master, server)

    proxy.target_port = replica.port
    master.kill()
    wait_until_delivered(replica, server)

    assert audit(replica, server, 20_000, letters_max=2) == []
    proxy.close()


def test_a_stale_replica_does_not_bring_a_displaced_process_back(start_penstock, start_redis, tmp_path):
    master, replica = start_redis(), start_redis()
    replica.ask("REPLICAOF", "127.0.0.1", master.port)
    proxy, sinks = ScriptCutter(master.port, seed=4), {"seen": SINKS["seen"]}
    displaced = start_penstock(config(proxy.port, sinks))
    send(displaced, 0, 1_000)
    wait_until_delivered(master, displaced, sinks=sinks)
    wait_until(lambda: positions(replica, "seen") == positions(master, "seen"), displaced)
    replica.ask("REPLICAOF", "NO", "ONE")  # it goes on naming this process as the owner
    displaced.process.send_signal(signal.SIGSTOP)
    copy = tmp_path / "copy"
    shutil.copytree(displaced.data_dir, copy)
    successor = start_penstock(config(proxy.port, sinks), data_dir=copy)
    send(successor, 1_000, 1_000)
    wait_until_delivered(master, successor, sinks=sinks)

    proxy.target_port = replica.port
    master.kill()
    wait_until_delivered(replica, successor, sinks=sinks)
    displaced.process.send_signal(signal.SIGCONT)
    wait_until(lambda: "stopped for good" in displaced.log_file.read_text(), displaced)
    send(successor, 2_000, 1_000)
    wait_until_delivered(replica, successor, sinks=sinks)

    assert "stopped for good" not in successor.log_file.read_text()
    assert replica.ask("MGET", *[f"seen:{number}" for number in range(3_000)]) == ["1"] * 3_000
    proxy.close()


def test_a_full_server_is_tried_again_until_there_is_room(start_penstock, start_redis):
    redis = start_redis()
    server = start_penstock(config(redis.port))
    send(server, 0, 5_000)
    wait_until_delivered(redis, server)
    redis.ask("CONFIG", "SET", "maxmemory", "1mb")
    send(server, 5_000, 10_000)

    wait_until(lambda: all(server.metric("penstock_sink_breaker_state", sink=sink) == 1 for sink in SINKS), server)
    assert "OOM command not allowed" in server.log_file.read_text()
    wait_until(lambda: server.metric("penstock_sink_lag_records", sink="seen") == 10_000, server)
    assert server.get("/health/ready")[0] == 200
    redis.ask("CONFIG", "SET", "maxmemory", "0")
    wait_until_delivered(redis, server)

    assert audit(redis, server, 15_000) == []


def test_a_read_only_or_evicting_server_is_not_used_until_it_is_mended(start_penstock, start_redis):
    redis = start_redis("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
    server = start_penstock(config(redis.port))
    send(server, 0, 1_000)
    wait_until(lambda: "maxmemory-policy is allkeys-lru" in server.log_file.read_text(), server)
    redis.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    redis.ask("REPLICAOF", "127.0.0.1", "1")
    wait_until(lambda: "READONLY" in server.log_file.read_text(), server)
    assert not redis.keys("seen:*")

    redis.ask("REPLICAOF", "NO", "ONE")
    wait_until_delivered(redis, server)

    assert audit(redis, server, 1_000) == []


def test_a_server_that_hangs_harms_nobody_else(start_penstock, start_redis):
    hanging, well = start_redis(), start_redis()
    server = start_penstock(config(hanging.port, {"seen": SINKS["seen"]}) +
                            config(well.port, {"other": SINKS["seen"]}).removeprefix(CONFIG))
    send(server, 0, 100)
    wait_until_delivered(hanging, server, sinks=["seen"])
    hanging.signal(signal.SIGSTOP)
    send(server, 100, 5_000)

    wait_until_delivered(well, server, sinks=["other"])
    wait_until(lambda: server.metric("penstock_sink_breaker_state", sink="seen") == 1, server)
    hanging.signal(signal.SIGCONT)
    wait_until_delivered(hanging, server, sinks=["seen"])
    assert hanging.ask("MGET", *[f"seen:{number}" for number in range(5_100)]) == ["1"] * 5_100

    hanging.signal(signal.SIGSTOP)
    send(server, 5_100, 1_000)
    server.stop()
    hanging.signal(signal.SIGCONT)


def test_a_key_of_another_type_makes_dead_letters_of_its_events_alone(start_penstock, start_redis):
    redis = start_redis()
    redis.ask("RPUSH", "seen:500", "not a counter")
    redis.ask("SET", "seen:700", "not a number")
    server = start_penstock(config(redis.port, {"seen": SINKS["seen"]}))
    send(server, 0, 1_000)
    wait_until_delivered(redis, server, sinks=["seen"])

    letters = [json.loads(line) for line in server.event_lines("app.dlq")]
    messages = {json.loads(letter["value"])["n"] if isinstance(letter["value"], str) else letter["value"]["n"]:
                letter["headers"]["penstock.dlq.message"] for letter in letters}
    assert len(letters) == 2 and "WRONGTYPE" in messages[500] and "not an integer" in messages[700]
    others = [number for number in range(1_000) if number not in (500, 700)]
    assert redis.ask("MGET", *[f"seen:{number}" for number in others]) == ["1"] * len(others)


MODES = {
    "fields": 'key = "user:%{key}"\nfields = ["/a:a", "/user:name", "/b/c:c", ":all"]\nttl = "3000d"',
    "text": 'key = "%%%{/user}:%{partition}"\nttl = "3000d"',
    "old": 'key = "old:%{/user}"\nttl = "1d"',
    "best": 'mode = "sorted_set"\nkey = "best"\nmember = "%{/user}"\nscore = "/s"\nscore_update = "max"',
    "worst": 'mode = "sorted_set"\nkey = "worst"\nmember = "%{/user}"\nscore = "/s"\nscore_update = "min"',
    "newest": 'mode = "sorted_set"\nkey = "newest"\nmember = "%{/user}"\nscore = "/s"',
    "visits": 'mode = "session"\nkey = "visit:%{/user}"\nfields = ["/a:a", "/s:s"]\nttl = "3000d"',
}


def test_writes_every_mode(start_penstock, start_redis):
    redis = start_redis()
    server = start_penstock(config(redis.port, MODES))
    events = [{"user": "caf\u00e9 \n\u2603", "a": "x\u0000y", "b": {"c": [1, None]}, "s": 1.5, "at": NOW_MS},
              {"user": "caf\u00e9 \n\u2603", "a": None, "b": {"c": True}, "s": -2, "at": NOW_MS - 1_000},
              {"user": "old", "a": "1", "s": 1e3, "at": NOW_MS - 2 * 86_400_000}]
    lines = [json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in events]
    server.accept_events("app", "\n".join(lines))
    wait_until_delivered(redis, server, sinks=MODES)

    user = events[0]["user"]
    found = redis.ask("HGETALL", f"user:{user}")
    assert dict(zip(found[::2], found[1::2])) == {"name": user, "c": "true", "all": lines[1]}
    text = redis.keys("%caf*")
    assert len(text) == 1 and redis.ask("GET", text[0]) == lines[1]
    assert redis.ask("PEXPIRETIME", text[0]) == NOW_MS - 1_000 + 3000 * 86_400_000
    assert redis.ask("PEXPIRETIME", f"user:{user}") == NOW_MS + 3000 * 86_400_000  # not sooner than it was
    assert redis.keys("old:caf*") and not redis.keys("old:old")
    scores = {key: redis.ask("ZSCORE", key, user) for key in ("best", "worst", "newest")}
    assert scores == {"best": "1.5", "worst": "-2", "newest": "-2"}
    visit = redis.ask("HGETALL", f"visit:{user}")
    assert dict(zip(visit[::2], visit[1::2])) == {"events": "2", "first_at": str(NOW_MS), "last_at": str(NOW_MS - 1_000),
                                                  "a": "x\0y", "s": "-2"}
    assert not redis.keys("*probe")


# --- deployments --------------------------------------------------------------------------------------------------


def certificates(folder):
    """ca.pem, and for 127.0.0.1 cert.pem and key.pem."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    for name in ("ca", "key"):
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}-secret.pem")
    openssl("req", "-x509", "-new", "-key", "ca-secret.pem", "-out", "ca.pem", "-subj", "/CN=test CA", "-days", "30")
    openssl("req", "-new", "-key", "key-secret.pem", "-out", "request.pem", "-subj", "/CN=redis")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
    openssl("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca-secret.pem", "-CAcreateserial",
            "-out", "cert.pem", "-days", "30", "-extfile", "names")
    (folder / "key-secret.pem").rename(folder / "key.pem")
    for file in folder.iterdir():
        file.chmod(0o644)


@pytest.mark.parametrize("protocol", [2, 3])
def test_speaks_tls_and_logs_in(start_penstock, start_redis, protocol):
    tls_port = free_port()
    redis = start_redis("--tls-port", tls_port, "--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem",
                        "--tls-ca-cert-file", "ca.pem", prepare=lambda server: certificates(server.folder))
    redis.ask("ACL", "SETUSER", "sink", "on", ">geheim", "~*", "-@all", "+@read", "+@write", "+@scripting", "+hello",
              "+auth", "+select")
    redis.ask("ACL", "SETUSER", "default", "-@dangerous", "-@scripting", "+keys")
    folder = redis.folder
    more = f"""
tls = true
tls_ca_file = "{folder}/ca.pem"
tls_certificate_file = "{folder}/cert.pem"
tls_key_file = "{folder}/key.pem"
user = "sink"
password = "${{env:SINK_PASSWORD}}"
protocol = {protocol}
"""
    server = start_penstock(config(tls_port, more=more), env={"SINK_PASSWORD": "geheim"})
    send(server, 0, 2_000)
    wait_until_delivered(redis, server)

    assert audit(redis, server, 2_000) == []
    assert "geheim" not in server.log_file.read_text()


def test_refuses_a_certificate_of_another_host(start_penstock, start_redis):
    tls_port = free_port()
    redis = start_redis("--tls-port", tls_port, "--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem",
                        "--tls-ca-cert-file", "ca.pem", prepare=lambda server: certificates(server.folder))
    seen = {"seen": SINKS["seen"]}
    more = f'tls = true\ntls_ca_file = "{redis.folder}/ca.pem"\n'
    more += f'tls_certificate_file = "{redis.folder}/cert.pem"\ntls_key_file = "{redis.folder}/key.pem"\n'
    server = start_penstock(config(tls_port, seen, more=more).replace('["127.0.0.1:', '["localhost:'))
    send(server, 0, 10)
    wait_until(lambda: "is it TLS that is spoken there" in server.log_file.read_text(), server)

    assert not redis.keys("*")


def test_asks_sentinel_for_the_master(start_penstock, start_redis):
    master, replica = start_redis(), start_redis()
    replica.ask("REPLICAOF", "127.0.0.1", master.port)

    def configure(sentinel):
        file = sentinel.folder / "sentinel.conf"
        file.write_text(f"sentinel monitor main 127.0.0.1 {master.port} 2\nsentinel down-after-milliseconds main 500\n"
                        "sentinel failover-timeout main 3000\n")
        if sentinel.user:
            shutil.chown(file, "nobody", "nogroup")

    sentinels = [start_redis(program="redis-sentinel", prepare=configure) for _ in range(3)]
    addresses = ", ".join(f'"127.0.0.1:{port}"' for port in [free_port(), *[one.port for one in sentinels]])
    server = start_penstock(config(0, more='deployment = "sentinel"\nmaster = "main"\n')
                            .replace('servers = ["127.0.0.1:0"]', f"servers = [{addresses}]"))
    send(server, 0, 20_000)
    wait_until_delivered(master, server)
    wait_until(lambda: all(len(one.ask("SENTINEL", "SENTINELS", "main")) == 2 and
                           len(one.ask("SENTINEL", "REPLICAS", "main")) == 1 for one in sentinels), server)

    send(server, 20_000, 20_000)
    master.kill()
    wait_until_delivered(replica, server)

    assert audit(replica, server, 40_000, letters_max=2) == []


class RedisCluster:
    """Three nodes with a third of the slots each."""

    def __init__(self, start_redis):
        self.nodes = []
        for _ in range(3):
            bus_port = free_port()
            node = start_redis("--cluster-enabled", "yes", "--cluster-port", bus_port, "--appendonly", "yes",
                               "--cluster-node-timeout", "1000")
            self.nodes.append((node, bus_port))
        for index, (node, _) in enumerate(self.nodes):
            node.ask("CLUSTER", "ADDSLOTSRANGE", index * 16384 // 3, (index + 1) * 16384 // 3 - 1)
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", index + 1)
            node.ask("CLUSTER", "MEET", "127.0.0.1", self.nodes[0][0].port, self.nodes[0][1])
        self.wait_until_agreed()

    def wait_until_agreed(self):
        deadline = time.monotonic() + 30
        while not all("cluster_state:ok" in node.ask("CLUSTER", "INFO") and
                      "cluster_known_nodes:3" in node.ask("CLUSTER", "INFO") for node, _ in self.nodes):
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def owner(self, slot):
        for begin, end, master, *_ in self.nodes[0][0].ask("CLUSTER", "SLOTS"):
            if begin <= slot <= end:
                return next(node for node, _ in self.nodes if node.port == master[1])
        raise AssertionError(f"nobody has slot {slot}")

    def ask(self, *words):
        """For commands whose second word is the key."""
        return self.owner(self.nodes[0][0].ask("CLUSTER", "KEYSLOT", words[1])).ask(*words)

    def move(self, slot):
        """Moves a slot to another node, key by key."""
        owner = self.owner(slot)
        other = next(node for node, _ in self.nodes if node is not owner)
        ids = {node: node.ask("CLUSTER", "MYID") for node in (owner, other)}
        other.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[owner])
        owner.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[other])
        while keys := owner.ask("CLUSTER", "GETKEYSINSLOT", slot, 100):
            owner.ask("MIGRATE", "127.0.0.1", other.port, "", 0, 5_000, "KEYS", *keys)
        for node in [other, owner, *[node for node, _ in self.nodes]]:
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", ids[other])


def test_follows_the_slots_of_a_cluster(start_penstock, start_redis):
    cluster = RedisCluster(start_redis)
    first = cluster.nodes[0][0]
    how = {"seen": 'mode = "counter"\nkey = "{app:%{partition}}:seen:%{/n}"'}
    count = 30_000
    server = start_penstock(config(first.port, how, more='deployment = "cluster"\n', rows=50))

    def where():
        return {partition: int(cluster.ask("HGET", f"penstock:{{app:{partition}}}:seen:app:{partition}",
                                           "next_offset") or 0) for partition in range(PARTITIONS)}

    def is_there():
        try:
            return where() == server.log_ends("app")
        except (OSError, RedisError):
            return False

    slots = [first.ask("CLUSTER", "KEYSLOT", f"{{app:{partition}}}") for partition in range(PARTITIONS)]
    owners = {cluster.owner(slot).port for slot in slots}
    assert len(owners) > 1
    for number in range(10):
        send(server, number * count // 10, count // 10)
        cluster.move(slots[number % PARTITIONS])
    killed = cluster.owner(slots[0])
    killed.kill()
    killed.start()
    wait_until(is_there, server, 120)

    times = collections.Counter()
    for partition in range(PARTITIONS):
        numbers = [event["value"]["n"] for event in server.events("app", partition)]
        node = cluster.owner(slots[partition])
        found = node.ask("MGET", *[f"{{app:{partition}}}:seen:{number}" for number in numbers])
        times.update(found)
    assert times == {"1": count}
