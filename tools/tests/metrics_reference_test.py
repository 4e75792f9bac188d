"""Tests of tools/metrics_reference.py."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import metrics_reference  # noqa: E402

SOURCE = """
// registry.counter("penstock_in_a_comment_total", "Not there.");
auto& a = registry.counter("penstock_events_total",
                           "Events, by topic "
                           "and outcome.", {{"topic", name}});
guard_ = registry.gauge_callback("penstock_memory_bytes", "Memory.", {}, [] { return 1.0; });
"""


class MetricsReference(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for name in ("src/room", "apps", "docs"):
            (self.root / name).mkdir(parents=True)
        self.document = self.root / metrics_reference.DOCUMENT
        self.document.write_text("# Head\n" + metrics_reference.BEGIN + metrics_reference.END + "tail\n")
        self.source("a.cc", SOURCE)

    def source(self, name, text):
        (self.root / "src/room" / name).write_text(text)

    def test_writes_the_table_and_leaves_the_rest(self):
        self.assertEqual(metrics_reference.main(self.root, write=True), [])
        text = self.document.read_text()
        self.assertIn("| `penstock_events_total` | counter | Events, by topic and outcome. |\n"
                      "| `penstock_memory_bytes` | gauge | Memory. |\n", text)
        self.assertNotIn("comment", text)
        self.assertTrue(text.startswith("# Head\n") and text.endswith("tail\n"))
        self.assertEqual(metrics_reference.main(self.root), [])

    def test_names_what_the_table_lacks_or_has_too_much(self):
        metrics_reference.main(self.root, write=True)
        self.source("a.cc", SOURCE.replace("penstock_memory_bytes", "penstock_heap_bytes"))
        problems = metrics_reference.main(self.root)
        self.assertEqual(len(problems), 1)
        self.assertIn("penstock_heap_bytes, penstock_memory_bytes", problems[0])

    def test_refuses_two_help_texts_for_one_name(self):
        self.source("b.cc", 'registry.counter("penstock_events_total", "Other.");')
        self.assertIn("another type or help text", metrics_reference.main(self.root, write=True)[0])

    def test_refuses_a_name_that_it_cannot_follow(self):
        self.source("b.cc", 'const char* name = "penstock_hidden_total";')
        self.assertIn("penstock_hidden_total", metrics_reference.main(self.root, write=True)[0])

    def test_tests_are_not_looked_at(self):
        self.source("b_test.cc", 'registry.counter("penstock_x_total", "X.");')
        metrics_reference.main(self.root, write=True)
        self.assertNotIn("penstock_x_total", self.document.read_text())


if __name__ == "__main__":
    unittest.main()
