"""Tests of tools/tidy.py: python3 -m unittest discover -s tools/tests -p '*_test.py'."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import tidy  # noqa: E402


def rules_broken(path, text, allowed=frozenset()):
    return [p.rsplit("[", 1)[-1].rstrip("]") for p in tidy.check_source(path, text, allowed)]


class BannedTokens(unittest.TestCase):
    def broken(self, line, path="src/wal/a.cc", **kwargs):
        return rules_broken(path, line + "\n", **kwargs)

    def test_each_banned_token_is_found(self):
        for name, line in {
                "clock": "auto t = std::chrono::steady_clock::now();",
                "random": "std::mt19937_64 random;",
                "sleep": "std::this_thread::sleep_for(1ms);",
                "thread": "std::jthread worker;",
                "file": 'std::ofstream out("x");',
                "regex": "#include <regex>",
                "shared_ptr": "std::shared_ptr<int> p;",
                "using_namespace": "using namespace std;",
                "stdout": "std::cout << 1;",
                "sync_header": "#include <atomic>",
                "throw": "throw 1;",
                "detach": "worker.detach();",
                "fixme": "// FIXME this",
                "todo": "// TODO: later",
                "dead_code": "// count = count + 1;",
        }.items():
            with self.subTest(name):
                self.assertEqual(self.broken(line), [name])

    def test_system_calls_are_found_but_not_methods_of_the_same_name(self):
        self.assertEqual(self.broken("int fd = ::open(path, 0);"), ["file"])
        self.assertEqual(self.broken("auto file = File::open(path);"), [])
        self.assertEqual(self.broken("auto file = file_system.open(path);"), [])
        self.assertEqual(self.broken("int r = rand();"), ["random"])
        self.assertEqual(self.broken("auto r = random.rand();"), [])

    def test_rooms_that_own_a_thing_may_use_it(self):
        self.assertEqual(self.broken("auto t = std::chrono::system_clock::now();", "src/os/a.cc"), [])
        self.assertEqual(self.broken("#include <mutex>", "src/core/a.cc"), [])
        self.assertEqual(self.broken("std::cout << 1;", "apps/penstock/a.cc"), [])

    def test_comments_and_strings_are_not_code(self):
        self.assertEqual(self.broken("int a = 1;  // unlike std::thread"), [])
        self.assertEqual(self.broken('auto s = "throw std::cout";'), [])
        self.assertEqual(self.broken('auto s = R"(throw " throw)";'), [])
        self.assertEqual(self.broken("int n = 1'000; char c = '\"'; throw n;"), ["throw"])
        self.assertEqual(self.broken("/* throw\n throw */ int a;"), [])

    def test_literals_namespaces_may_be_used_whole(self):
        self.assertEqual(self.broken("using namespace std::chrono_literals;"), [])
        self.assertEqual(self.broken("using namespace std::literals;"), [])

    def test_line_numbers_count_comments_and_raw_strings(self):
        text = '/* a\n b */\nauto s = R"(\n\n)";\nthrow 1;\n'
        self.assertIn("src/wal/a.cc:6:", tidy.check_source("src/wal/a.cc", text)[0])

    def test_an_allowed_file_may_break_that_rule_only(self):
        text = "std::shared_ptr<int> p; throw 1;"
        self.assertEqual(self.broken(text, allowed={("shared_ptr", "src/wal/a.cc")}), ["throw"])

    def test_typed_todos_and_prose_that_ends_like_code_pass(self):
        self.assertEqual(self.broken("// TODO(#12): and TODO(perf) and TODO(test)"), [])
        self.assertEqual(self.broken("// Returns the offset; see append()."), [])
        self.assertEqual(self.broken("//   Thread t([&] { run(); });  an example, indented"), [])


class Headers(unittest.TestCase):
    GOOD = "// Segment holds frames.\n#pragma once\n"

    def test_a_header_opens_with_prose(self):
        self.assertEqual(tidy.check_source("src/wal/a.h", self.GOOD), [])
        self.assertIn("no opening comment", tidy.check_source("src/wal/a.h", "#pragma once\n")[0])
        self.assertIn("no `#pragma once`", tidy.check_source("src/wal/a.h", "// Segment.\n")[0])

    def test_file_names_are_snake_case(self):
        self.assertIn("snake_case", tidy.check_source("src/wal/GroupCommit.h", self.GOOD)[0])


class Tree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("src/wal/segment.h", Headers.GOOD)
        self.write("src/wal/README.md", "# wal\n" * 20)

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def document(self, text):
        return tidy.check_document(self.root, "docs/a.md", text)

    def test_a_clean_tree_passes(self):
        self.assertEqual(tidy.main(self.root), [])

    def test_paths_in_backticks_must_exist(self):
        self.assertEqual(self.document("See `wal/segment.h`, `src/wal/` and `src/*/README.md`."), [])
        self.assertIn("docs/a.md:2:", self.document("x\nSee `src/wal/gone.h`.")[0])
        self.assertEqual(len(self.document("[gone](gone.md) [web](https://x.invalid/a)")), 1)

    def test_what_is_not_a_path_of_ours_is_left_alone(self):
        self.assertEqual(self.document("`application/json` `build/dev/bin` `docs/adr/NNNN-title.md` "
                                       "`/metrics` `POST /v1/topics`\n```\n`src/gone.h`\n```\n"), [])

    def test_a_room_without_readme_or_with_a_stub_is_named(self):
        self.write("src/log/log.h", Headers.GOOD)
        self.assertIn("src/log/README.md:1: is missing", tidy.main(self.root)[0])
        self.write("src/log/README.md", "# log\n")
        self.assertIn("src/log/README.md:1: aim at", tidy.main(self.root)[0])

    def test_adr_numbers_are_unique(self):
        self.assertEqual(tidy.check_adrs(["0001-a.md", "0002-b.md", "README.md"]), [])
        self.assertIn("0001-a.md has this number", tidy.check_adrs(["0001-a.md", "0001-b.md"])[0])
        self.assertIn("call it NNNN-title.md", tidy.check_adrs(["first.md"])[0])

    def test_machine_paths_are_found_in_any_file(self):
        self.write("docs/a.md", "Run it in " + "/ho" + "me/me/penstock.\n")
        self.assertIn("[machine_path]", tidy.main(self.root)[0])

    def test_the_allow_list_is_checked_itself(self):
        self.write("tools/tidy_allow.txt", "# c\nthrow src/wal/segment.h because\nthrow src/gone.h x\nbad\n")
        problems = tidy.main(self.root)
        self.assertEqual([p.split(": ")[0] for p in problems],
                         ["tools/tidy_allow.txt:3", "tools/tidy_allow.txt:4"])


if __name__ == "__main__":
    unittest.main()
