"""`make demo` as a newcomer runs it, but for set-up and build, which have been done here."""
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_the_demonstration_runs_and_its_counts_add_up():
    done = subprocess.run(["make", "--old-file=build", "demo"], cwd=ROOT, capture_output=True, text=True,
                          timeout=120, env={**os.environ, "DEMO_SECONDS": "2"})

    assert done.returncode == 0, done.stdout + done.stderr
    assert "The counts add up" in done.stdout
