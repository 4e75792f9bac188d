"""Tests of tools/test: which commands it runs, in which order, and what their failures do."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
# Stands in for cmake, ctest, tools/check and python: notes how it was called, fails if it is told to.
RECORDER = """#!/usr/bin/env bash
echo "$(basename "$0") ${PENSTOCK_BIN:+$PENSTOCK_BIN }$*" >> "$CALLS"
[[ -z $FAILING || "$(basename "$0") $*" != *$FAILING* ]]
"""
FAST = ["check --fast"]
CHECK = ["check "]
RELEASE = ["cmake --preset release", "cmake --build --preset release -j 2", "ctest --preset release"]
ASAN = ["cmake --preset asan", "cmake --build --preset asan -j 2", "ctest --preset asan",
        "python build/asan/bin/penstock -m pytest tests/integration -p no:cacheprovider "
        "-m hostile or sanitized"]
INTEGRATION = ["python build/release/bin/penstock -m pytest tests/integration -p no:cacheprovider"]


class Steps(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for name in ("tools/check", "bin/cmake", "bin/ctest", "deps/venv/bin/python"):
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(RECORDER)
            path.chmod(0o755)
        shutil.copy(REPOSITORY / "tools/test", self.root / "tools/test")

    def run_steps(self, *arguments, failing=""):
        """(exit code, calls, output)"""
        calls = self.root / "calls"
        calls.write_text("")
        environment = {**os.environ, "PATH": f"{self.root}/bin:{os.environ['PATH']}", "JOBS": "2",
                       "PENSTOCK_DEPS": str(self.root / "deps"), "CALLS": str(calls), "FAILING": failing}
        environment.pop("PENSTOCK_BIN", None)
        done = subprocess.run([self.root / "tools/test", *arguments], capture_output=True, text=True,
                              env=environment, timeout=60)
        return done.returncode, calls.read_text().splitlines(), done.stdout

    def assert_calls(self, calls, expected):
        self.assertEqual(len(calls), len(expected), calls)
        for call, start in zip(calls, expected):
            self.assertTrue(call.startswith(start), f"{call!r} is not {start!r}")

    def test_without_arguments_everything_runs_and_integration_comes_last(self):
        code, calls, output = self.run_steps()

        self.assertEqual(code, 0)
        self.assert_calls(calls, CHECK + RELEASE + ASAN + INTEGRATION)
        self.assertTrue(output.endswith("\n== integration tests\n"), output)

    def test_a_failure_is_named_and_hides_nothing_else(self):
        for failing, named in (("check ", "check"), ("ctest --preset release", "unit tests, release"),
                               ("ctest --preset asan", "unit tests, asan"),
                               ("-m hostile", "integration tests, asan")):
            with self.subTest(failing):
                code, calls, output = self.run_steps(failing=failing)

                self.assertEqual(code, 1)
                self.assert_calls(calls, CHECK + RELEASE + ASAN + INTEGRATION)
                self.assertTrue(output.endswith(f"test: FAILED: [{named}]\n"), output)

    def test_what_was_not_built_is_not_tested(self):
        code, calls, _ = self.run_steps("asan", failing="--build --preset asan")

        self.assertEqual(code, 1)
        self.assert_calls(calls, ASAN[:2])

    def test_single_steps_run_alone(self):
        self.assert_calls(self.run_steps("fast")[1], FAST)
        self.assert_calls(self.run_steps("integration")[1], RELEASE[:2] + INTEGRATION)

    def test_an_unknown_step_is_refused(self):
        code, calls, output = self.run_steps("everything")

        self.assertEqual((code, calls), (2, []))
        self.assertIn("tools/test STEP...", output)


if __name__ == "__main__":
    unittest.main()
