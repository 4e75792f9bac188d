"""The program answers for itself."""
import subprocess


def run(penstock_bin, *arguments):
    return subprocess.run([penstock_bin, *arguments], capture_output=True, text=True, timeout=30)


def test_help_and_version_are_everywhere(penstock_bin):
    assert run(penstock_bin, "--version").returncode == 0
    answer = run(penstock_bin, "--help")
    assert answer.returncode == 0
    assert "up" in answer.stdout


def test_an_unknown_command_is_refused_with_one_sentence(penstock_bin):
    answer = run(penstock_bin, "frobnicate")
    assert answer.returncode != 0
    assert answer.stderr.strip()
