"""Tests of tools/check_doors.py."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import check_doors  # noqa: E402

DOORS = """
0 core:    | isa-l
1 record:  core | zstd.h
2 net:     core | boost zstd.h   # two rooms own zstd
2 log:     core record |
3 testing: core log | gtest gmock
"""


class Doors(unittest.TestCase):
    def setUp(self):
        self.rooms, problems = check_doors.read_doors(DOORS)
        self.assertEqual(problems, [])

    def check(self, path, text):
        return check_doors.check_text(pathlib.PurePath(path), text, self.rooms,
                                      check_doors.owners_of(self.rooms))

    def test_an_include_through_a_door_passes(self):
        self.assertEqual(self.check("log/a.cc", '#include "log/a.h"\n#include "core/b.h"\n'), [])

    def test_an_include_without_a_door_is_named_with_its_line(self):
        self.assertIn("src/log/a.cc:2: log has no door to net",
                      self.check("log/a.cc", '// x\n#include "net/b.h"\n')[0])

    def test_third_party_headers_belong_to_their_owners(self):
        self.assertEqual(self.check("net/a.cc", "#include <boost/asio.hpp>\n#include <zstd.h>\n"), [])
        self.assertIn("belongs to record and net", self.check("log/a.cc", "#include <zstd.h>\n")[0])
        self.assertIn("belongs to apps/", self.check("log/a.cc", "#include <CLI/CLI.hpp>\n")[0])

    def test_only_tests_may_open_testing_and_gtest(self):
        text = '#include <gtest/gtest.h>\n#include "testing/sim_log.h"\n'
        self.assertEqual(self.check("log/a_test.cc", text), [])
        self.assertEqual(len(self.check("log/a.cc", text)), 2)

    def test_includes_are_written_from_the_root_of_src(self):
        self.assertIn("from the root of src/", self.check("log/a.cc", '#include "a.h"\n')[0])

    def test_an_unknown_room_is_named(self):
        self.assertIn("is not a room", self.check("attic/a.cc", "")[0])

    def test_doors_go_down(self):
        self.assertIn("doors go down", check_doors.read_doors("1 a: b |\n1 b: |\n")[1][0])
        self.assertIn("not a room", check_doors.read_doors("1 a: b |\n")[1][0])
        self.assertIn("write `floor room", check_doors.read_doors("core: |\n")[1][0])


if __name__ == "__main__":
    unittest.main()
