"""The net below the tests of the sanitized build catches what it is there for."""
import os
import subprocess

import pytest

import sanitizers

MISTAKES = {
    "heap-use-after-free": "int* p = new int(n); delete p; return *p;",
    "signed integer overflow": "int sum = 2147483647; sum += n; return sum > 0;",
    "detected memory leaks": "static_cast<void>(new int(n)); return 0;",
}
PROGRAM = "int main(int n, char**) { %s }"


def run(tmp_path, body):
    source, program, reports = tmp_path / "a.cc", tmp_path / "a", tmp_path / "reports"
    source.write_text(PROGRAM % body)
    reports.mkdir()
    subprocess.run(["g++", "-O0", "-fsanitize=address,undefined", "-static-libasan", "-static-libubsan",
                    "-fno-sanitize-recover=all", source, "-o", program], check=True, timeout=60)
    done = subprocess.run([program], env={**os.environ, **sanitizers.options(reports)}, timeout=30,
                          capture_output=True)
    return done.returncode, sanitizers.reports(reports)


@pytest.mark.parametrize("named", MISTAKES)
def test_a_mistake_is_reported(tmp_path, named):
    code, reports = run(tmp_path, MISTAKES[named])

    assert code == sanitizers.EXIT_CODE
    assert named in "".join(reports)


def test_a_sound_program_is_not_reported(tmp_path):
    assert run(tmp_path, "return n - 1;") == (0, [])


def test_a_report_is_told_once(tmp_path):
    (tmp_path / "address.1").write_text("wrong")

    assert sanitizers.reports(tmp_path) == ["wrong"]
    assert sanitizers.reports(tmp_path) == []
