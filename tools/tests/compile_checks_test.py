"""Tests of tools/compile_checks.py; the last ones run the clang-tidy that tools/setup installed."""
import json
import os
import pathlib
import shutil
import sys
import tempfile
import time
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import compile_checks  # noqa: E402

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SOURCE = '#include "core/a.h"\n#include <string>\nint main() { return penstock::one(); }\n'
HEADER = "#pragma once\nnamespace penstock {\ninline int one() { return 1; }\n}  // namespace penstock\n"


class InARepository(unittest.TestCase):
    def setUp(self):
        self.root = self.make_root()

    def make_root(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root = pathlib.Path(folder.name).resolve()
        self.write(root, "src/core/a.h", HEADER)
        self.write(root, "src/core/main.cc", SOURCE)
        self.use(root)
        return root

    def use(self, root):
        patch = mock.patch.object(compile_checks, "ROOT", root)
        patch.start()
        self.addCleanup(patch.stop)

    def write(self, root, name, text):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        compile_checks.read.cache_clear()
        compile_checks.code_of.cache_clear()
        compile_checks.includes_of.cache_clear()
        return path


class Flags(InARepository):
    def test_sources_of_libraries_in_c_are_left_out(self):
        commands = [{"file": str(self.root / "src/core/main.cc"), "command": "ccache g++ -Isrc -O2 -c main.cc"},
                    {"file": "/deps/rdkafka.c", "command": "ccache gcc -DX=1 -c rdkafka.c"}]
        self.write(self.root, "build/compile_commands.json", json.dumps(commands))

        flags = compile_checks.flags_by_file(self.root / "build")

        self.assertEqual(flags, {self.root / "src/core/main.cc": ["-Isrc"]})


class Keys(InARepository):
    def key(self, root=None, flags=("-O1",)):
        root = root or self.root
        return compile_checks.key_of(root / "src/core/main.cc", [f"-I{root}/src", *flags], "tidy")

    def test_a_changed_source_header_or_flag_is_another_key(self):
        keys = {self.key(), self.key(flags=("-O2",))}
        self.write(self.root, "src/core/a.h", HEADER.replace("1", "2"))
        keys.add(self.key())
        self.write(self.root, "src/core/main.cc", SOURCE + "\n")
        keys.add(self.key())

        self.assertEqual(len(keys), 4)

    def test_a_comment_does_not_matter_unless_it_silences_a_check(self):
        before = self.key()
        self.write(self.root, "src/core/a.h", "// Why.\n\n" + HEADER.replace("1; }", "1; }  // 'tis one"))
        commented = self.key()
        self.write(self.root, "src/core/a.h", HEADER.replace("1; }", "1; }  // NOLINT(name)"))
        silenced = self.key()

        self.assertEqual(commented, before)
        self.assertNotEqual(silenced, before)

    def test_two_slashes_in_a_literal_are_no_comment(self):
        keys = set()
        for text in ('"a//b"', '"a//c"', 'R"(a//b)"', 'R"(a//c)"'):
            self.write(self.root, "src/core/a.h", HEADER.replace("1;", f"{text}\n;"))
            keys.add(self.key())

        self.assertEqual(len(keys), 4)

    def test_what_is_not_included_does_not_matter(self):
        before = self.key()
        self.write(self.root, "src/core/b.h", "")

        self.assertEqual(self.key(), before)

    def test_another_copy_of_the_repository_has_the_same_key(self):
        before = self.key()

        self.assertEqual(self.key(self.make_root()), before)


class Cache(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.cache = pathlib.Path(folder.name)

    def test_only_success_is_remembered(self):
        for text, runs in (("", ["run"]), ("a.cc:1:1: error: wrong", ["run", "run"])):
            with self.subTest(text), mock.patch.object(compile_checks, "run", return_value=text) as run:
                task = ("a.cc", ["true"], f"key of {text}")
                answers = {compile_checks.check(task, self.cache) for _ in range(2)}

                self.assertEqual(answers, {("a.cc", text)})
                self.assertEqual(run.call_count, len(runs))

    def test_a_result_that_is_not_asked_for_is_forgotten_after_some_weeks(self):
        now = time.time()
        for name, days in (("old", compile_checks.CACHE_DAYS + 1), ("young", compile_checks.CACHE_DAYS - 1)):
            path = self.cache / "ab" / name
            path.parent.mkdir(exist_ok=True)
            path.touch()
            os.utime(path, (now, now - days * 24 * 3600))

        compile_checks.forget_old_results(self.cache, now)

        self.assertEqual([path.name for path in self.cache.glob("*/*")], ["young"])

    def test_it_is_where_the_environment_says(self):
        for environment, expected in (({"PENSTOCK_CHECK_CACHE": "/a"}, "/a"),
                                      ({"XDG_CACHE_HOME": "/b"}, "/b/penstock-checks"),
                                      ({"HOME": "/c"}, "/c/.cache/penstock-checks")):
            with self.subTest(expected), mock.patch.dict(os.environ, environment, clear=True):
                self.assertEqual(str(compile_checks.cache_folder()), expected)


@unittest.skipUnless(os.path.exists(compile_checks.TIDY), "clang-tidy is not installed: run tools/setup")
class ClangTidy(InARepository):
    def found(self, text, name="src/core/planted.cc"):
        shutil.copy(REPOSITORY / ".clang-tidy", self.root / ".clang-tidy")
        path = self.write(self.root, name, text)
        (_, command, _), = compile_checks.tidy_tasks({path: ["-std=c++20", f"-I{REPOSITORY / 'src'}"]})
        return compile_checks.run(command)

    def test_planted_mistakes_are_found(self):
        planted = {
            "bugprone-use-after-move": "std::size_t a(std::string s) { g(std::move(s)); return s.size(); }",
            "performance-for-range-copy": "void b(const std::vector<std::string>& v) {\n"
                                          "  for (const std::string s : v) { g(s + \"x\"); }\n}",
            "readability-identifier-naming": "int BadName() { return 1; }",
            "clang-analyzer-core.NullDereference": "int c(bool b) { int* p = nullptr; int n = 1;\n"
                                                   "  if (b) { p = &n; }\n  return *p;\n}",
            "clang-diagnostic-thread-safety-analysis":
                "class C {\n public:\n  int f() { return n_; }\n"
                " private:\n  Mutex mutex_;\n  int n_ PENSTOCK_GUARDED_BY(mutex_) = 0;\n};\n"
                "int d(C& c) { return c.f(); }",
        }
        found = self.found("#include <string>\n#include <utility>\n#include <vector>\n"
                           "#include \"core/mutex.h\"\nnamespace penstock {\nvoid g(std::string s);\n"
                           + "\n".join(planted.values()) + "\n}  // namespace penstock\n")

        for check in planted:
            with self.subTest(check):
                self.assertIn(f"[{check},-warnings-as-errors]", found)

    def test_what_is_right_passes(self):
        self.assertEqual(self.found("#include <immintrin.h>\n#include <string>\n" + HEADER[12:]), "")


if __name__ == "__main__":
    unittest.main()
