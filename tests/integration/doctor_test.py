"""`penstock doctor` as an operator meets it: one clear sentence, the right exit code, nothing changed; and
what it refuses, `penstock up` refuses."""
import os
import shutil
import subprocess

import pytest

CONFIG = """
[log]
compression = "none"  # segments shall fill, and the events be found in them
segment_size = "1MiB"

[http]
body_size_max = "64KiB"

[ingest]
event_size_max = "64KiB"
batch_size_max = "64KiB"

[[topic]]
name = "web"
archive = false
"""
EVENTS = 150
EVENT = '{"mark":"%06d","pad":"' + "x" * 20_000 + '"}'


@pytest.fixture
def stopped(start_penstock):
    """A server that has filled some segments and was stopped."""
    server = start_penstock(CONFIG)
    for number in range(EVENTS):
        server.accept_events("web", EVENT % number)
    server.stop()
    assert len(segments(server)) >= 3
    return server


def segments(server):
    return sorted(path for path in (server.data_dir / "log").glob("*.seg") if path.name[0].isdigit())


def doctor(penstock_bin, data_dir, **options):
    return subprocess.run([penstock_bin, "doctor", "--data-dir", str(data_dir)], capture_output=True, text=True,
                          timeout=60, **options)


def up(penstock_bin, server):
    """`up` where it is expected to refuse."""
    return subprocess.run([penstock_bin, "up", "--config", server.config_file, "--data-dir", server.data_dir,
                           "--listen", "127.0.0.1:0"], capture_output=True, text=True, timeout=60)


def only_line(text):
    lines = text.strip().splitlines()
    assert len(lines) == 1, text
    return lines[0]


def contents(server):
    return {path.name: path.read_bytes() for path in (server.data_dir / "log").iterdir()}


def flip(path, position):
    with path.open("r+b") as file:
        file.seek(position)
        byte = file.read(1)[0]
        file.seek(position)
        file.write(bytes([byte ^ 4]))


def refused_by_both(penstock_bin, server, name):
    before = contents(server)
    examined = doctor(penstock_bin, server.data_dir)
    assert contents(server) == before, "doctor has changed something"
    started = up(penstock_bin, server)
    for answer in (examined, started):
        assert answer.returncode == 3, answer.stdout + answer.stderr
        assert name in answer.stderr.splitlines()[0]  # others say which offsets are gone


def test_a_healthy_directory(penstock_bin, stopped):
    before = contents(stopped)

    answer = doctor(penstock_bin, stopped.data_dir)

    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.splitlines()[-1] == "no damage found"
    assert contents(stopped) == before


def test_a_torn_tail_is_no_damage(penstock_bin, stopped):
    # The end of the newest segment as a write leaves it that was cut off: a header and half of the rest.
    newest = segments(stopped)[-1]
    (stopped.data_dir / "log" / "synced").unlink()
    data = newest.read_bytes()
    last = max(at for at in range(4096, len(data), 4096) if data[at:at + 4] == b"PGRP")
    with newest.open("r+b") as file:
        file.seek(last + 64)
        file.write(bytes(4096 - 64))

    answer = doctor(penstock_bin, stopped.data_dir)

    assert answer.returncode == 0, answer.stdout + answer.stderr
    stopped.start()
    stopped.stop()


def test_a_flipped_bit_in_the_newest_segment(penstock_bin, stopped):
    newest = segments(stopped)[-1]
    flip(newest, 4096 + 70)

    refused_by_both(penstock_bin, stopped, newest.name)


def test_a_flipped_bit_in_a_sealed_segment_is_found_before_it_is_read(penstock_bin, stopped):
    oldest = segments(stopped)[0]
    flip(oldest, oldest.read_bytes().index(b'"000003"'))

    answer = doctor(penstock_bin, stopped.data_dir)

    assert answer.returncode == 3
    assert oldest.name in only_line(answer.stderr) and "position" in answer.stderr


@pytest.mark.parametrize("which", [0, 1, -1])
def test_a_missing_segment(penstock_bin, stopped, which):
    lost = segments(stopped)[which]
    lost.unlink()

    # Without the newest one, the file before it is where something is missing.
    refused_by_both(penstock_bin, stopped, segments(stopped)[-1].name if which == -1 else lost.name)


def test_a_segment_that_was_cut_short(penstock_bin, stopped):
    newest = segments(stopped)[-1]
    os.truncate(newest, 512 * 1024)

    refused_by_both(penstock_bin, stopped, newest.name)


def test_a_foreign_file_is_named_and_left_alone(penstock_bin, stopped):
    foreign = stopped.data_dir / "log" / "notes.txt"
    foreign.write_text("mine")

    answer = doctor(penstock_bin, stopped.data_dir)

    assert answer.returncode == 0
    assert f"{foreign}: not a file of the log" in answer.stdout
    stopped.start()
    stopped.stop()
    assert foreign.read_text() == "mine"


def test_a_foreign_file_in_place_of_a_segment(penstock_bin, stopped):
    newest = segments(stopped)[-1]
    newest.write_bytes(b"no segment at all" * 1000)

    refused_by_both(penstock_bin, stopped, newest.name)


def test_a_directory_that_may_not_be_read(penstock_bin, stopped):
    log = stopped.data_dir / "log"
    log.chmod(0)
    try:
        user = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        answer = doctor(penstock_bin, stopped.data_dir, **user)
    finally:
        log.chmod(0o755)

    assert answer.returncode == 1
    assert "Permission denied" in only_line(answer.stderr)


def test_a_directory_in_use(penstock_bin, start_penstock):
    server = start_penstock(CONFIG)

    answer = doctor(penstock_bin, server.data_dir)

    assert answer.returncode == 1
    assert "another process is using it" in only_line(answer.stderr)
    server.accept_events("web", "{}")


@pytest.mark.parametrize("exists", [False, True])
def test_a_directory_without_a_log(penstock_bin, tmp_path, exists):
    directory = tmp_path / "nothing"
    if exists:
        (directory / "log").mkdir(parents=True)

    answer = doctor(penstock_bin, directory)

    assert answer.returncode == 1
    assert "there is no log in" in only_line(answer.stderr) and str(directory) in answer.stderr
    assert directory.exists() == exists


def test_a_copy_of_a_healthy_directory_is_healthy(penstock_bin, stopped, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(stopped.data_dir, copy)

    assert doctor(penstock_bin, copy).returncode == 0
