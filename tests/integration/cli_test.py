"""The program answers for itself: help, versions, exit codes, one sentence for each mistake."""
import json
import os
import subprocess

import pytest

pytestmark = pytest.mark.sanitized
CONFIG = """
[log]
backend = "embedded"

[[topic]]
name = "web"
partitions = 2
key = "/user"
"""
COMMANDS = [["up"], ["topics"], ["dlq"], ["dlq", "list"], ["dlq", "show"], ["dlq", "replay"], ["doctor"],
            ["config"], ["config", "check"], ["config", "show"], ["bench"]]


def run(penstock_bin, *arguments, cwd=None, env=None):
    return subprocess.run([penstock_bin, *arguments], capture_output=True, text=True, timeout=30, cwd=cwd,
                          env={**os.environ, **(env or {})})


def sentence(answer):
    """What standard error says, which must be one line that names no code of ours."""
    lines = answer.stderr.strip().splitlines()
    assert len(lines) == 1, answer.stderr
    return lines[0]


def test_the_version_is_a_version(penstock_bin):
    answer = run(penstock_bin, "--version")

    assert answer.returncode == 0
    assert answer.stdout.split()[-1].count(".") == 2


@pytest.mark.parametrize("command", [[], *COMMANDS], ids=" ".join)
def test_help_is_everywhere(penstock_bin, command):
    answer = run(penstock_bin, *command, "--help")

    assert answer.returncode == 0
    assert "--help" in answer.stdout


def test_help_names_every_command(penstock_bin):
    answer = run(penstock_bin, "--help")

    for command in {command[0] for command in COMMANDS}:
        assert command in answer.stdout


def test_an_unknown_command_is_refused(penstock_bin):
    answer = run(penstock_bin, "frobnicate")

    assert answer.returncode == 2
    assert "frobnicate" in answer.stderr


def test_an_unknown_option_is_refused(penstock_bin):
    answer = run(penstock_bin, "up", "--frobnicate")

    assert answer.returncode == 2
    assert "--frobnicate" in answer.stderr


@pytest.mark.parametrize("mistake, named", [
    ('[[topic]]\nname = "web"\npartitons = 4\n', "partitons"),
    ('[[topic]]\nname = "web"\npartitions = "many"\n', "partitions"),
    ('[[topic]]\nname = "a b"\n', "name"),
    ('[[topic]]\nname = "web"\nkey = "user"\n', "key"),
    ('[[aggregate]]\nname = "x"\ntopic = "nope"\nwindow = "1h"\ncount = true\n', "nope"),
    ('[[topic]]\nname = "web"\n[[aggregate]]\nname = "x"\ntopic = "web"\ngroup_by = ["/a"]\nwindow = "1 hour"\ncount = true\n',
     "window"),
    ("[http]\nlisten = 8080\n", "listen"),
    ("this is not TOML", "1"),
])
def test_a_mistake_in_the_configuration_is_named(penstock_bin, tmp_path, mistake, named):
    config = tmp_path / "penstock.toml"
    config.write_text(mistake)

    for command in (["config", "check"], ["up"]):
        answer = run(penstock_bin, *command, "--config", config)

        assert answer.returncode == 2
        assert named in sentence(answer)
        assert "penstock.toml" in answer.stderr


def test_all_mistakes_are_named_at_once(penstock_bin, tmp_path):
    config = tmp_path / "penstock.toml"
    config.write_text('[http]\nlisten = "nowhere"\n[[topic]]\nname = "web"\npartitions = 0\nkeey = "/a"\n')

    answer = run(penstock_bin, "config", "check", "--config", config)

    assert answer.returncode == 2
    for named in ("listen", "partitions", "keey"):
        assert named in answer.stderr


def test_a_missing_configuration_is_named(penstock_bin, tmp_path):
    answer = run(penstock_bin, "up", "--config", tmp_path / "nope.toml")

    assert answer.returncode in (1, 2)
    assert "nope.toml" in sentence(answer)


def test_a_good_configuration_is_shown_whole_and_can_be_read_again(penstock_bin, tmp_path):
    config = tmp_path / "penstock.toml"
    config.write_text(CONFIG)

    shown = run(penstock_bin, "config", "show", "--config", config)
    again = tmp_path / "again.toml"
    again.write_text(shown.stdout)

    assert shown.returncode == 0
    assert run(penstock_bin, "config", "check", "--config", config).returncode == 0
    assert run(penstock_bin, "config", "show", "--config", again).stdout == shown.stdout


def test_the_environment_wins_over_the_file(penstock_bin, tmp_path):
    config = tmp_path / "penstock.toml"
    config.write_text('[http]\nlisten = "127.0.0.1:1111"\n')

    shown = run(penstock_bin, "config", "show", "--config", config,
                env={"PENSTOCK_HTTP_LISTEN": "127.0.0.1:2222"})

    assert "127.0.0.1:2222" in shown.stdout
    assert "127.0.0.1:1111" not in shown.stdout


def test_a_taken_port_is_named(start_penstock, penstock_bin, tmp_path):
    server = start_penstock(CONFIG)

    answer = run(penstock_bin, "up", "--config", server.config_file, "--data-dir", tmp_path / "other",
                 "--listen", f"127.0.0.1:{server.port}")

    assert answer.returncode == 1
    assert str(server.port) in answer.stderr


def test_topics_lists_what_is_in_the_log(start_penstock, penstock_bin):
    server = start_penstock(CONFIG)
    server.accept_events("web", "\n".join(json.dumps({"user": f"u{n}"}) for n in range(50)))

    answer = run(penstock_bin, "topics", "--url", f"http://127.0.0.1:{server.port}")

    assert answer.returncode == 0, answer.stderr
    line = next(line for line in answer.stdout.splitlines() if line.split()[:1] == ["web"])
    assert "50" in line.split()


def test_a_command_says_that_no_server_is_there(penstock_bin):
    answer = run(penstock_bin, "topics", "--url", "http://127.0.0.1:1")

    assert answer.returncode == 1
    assert "127.0.0.1:1" in sentence(answer)


def test_doctor_finds_a_healthy_directory_healthy(start_penstock, penstock_bin):
    server = start_penstock(CONFIG)
    server.accept_events("web", '{"user":"u"}')
    server.stop()

    answer = run(penstock_bin, "doctor", "--data-dir", server.data_dir)

    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_doctor_names_the_damaged_file_and_up_refuses_it(start_penstock, penstock_bin):
    server = start_penstock(CONFIG)
    marker = b"needle-in-the-log"
    server.accept_events("web", json.dumps({"user": "u", "mark": marker.decode()}))
    for _ in range(50):
        server.accept_events("web", json.dumps({"user": "u", "pad": "x" * 20_000}))
    server.stop()
    damaged = flip_a_byte_at(server.data_dir / "log", marker)

    examined = run(penstock_bin, "doctor", "--data-dir", server.data_dir)
    started = run(penstock_bin, "up", "--config", server.config_file, "--data-dir", server.data_dir,
                  "--listen", "127.0.0.1:0")

    assert examined.returncode == 3
    assert damaged.name in examined.stdout + examined.stderr
    assert started.returncode == 3
    assert damaged.name in started.stderr


def flip_a_byte_at(folder, marker):
    for path in sorted(folder.rglob("*")):
        contents = path.read_bytes() if path.is_file() else b""
        at = contents.find(marker)
        if at >= 0:
            with path.open("r+b") as file:
                file.seek(at)
                file.write(bytes([contents[at] ^ 1]))
            return path
    raise AssertionError(f"{marker} is nowhere in {folder}")
