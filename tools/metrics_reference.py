#!/usr/bin/env python3
"""Keeps the table of metrics in docs/operations.md true: it is made from the sources.

Usage: metrics_reference.py [--write] [REPOSITORY]

Finds every counter, gauge and histogram that the sources ask the registry for, with its name and help
text. Prints what differs from the table and fails, or writes the table with --write.
"""
import pathlib
import re
import sys

DOCUMENT = "docs/operations.md"
BEGIN = "<!-- metrics: written by tools/metrics_reference.py --write -->\n"
END = "<!-- end of metrics -->\n"
# registry.counter("name", "help" "continued"...: the five functions of telemetry/registry.h.
CALL = re.compile(r'\b(counter|gauge|histogram|gauge_callback|counter_callback)\s*\(\s*'
                  r'"(penstock_[a-z0-9_]+)"\s*,\s*((?:"(?:\\.|[^"\\])*"\s*)+)')
NAME = re.compile(r'"(penstock_[a-z0-9_]+)"')
TEXT = re.compile(r'"((?:\\.|[^"\\])*)"')
SUFFIXES = ("_bucket", "_sum", "_count", "_quantile", "_max")  # made from a histogram's name


def sources(root):
    for folder in ("src", "apps"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".h", ".cc") and not path.stem.endswith(("_test", "_bench")):
                yield path


def without_comments(text):
    return re.sub(r"^\s*//.*$", "", text, flags=re.M)


def read_metrics(root):
    """{name: (type, help)}, and problems: one help text per name, no name out of sight."""
    metrics, problems, mentioned = {}, [], {}
    for path in sources(root):
        text = without_comments(path.read_text())
        for kind, name, literals in CALL.findall(text):
            found = (kind.removesuffix("_callback"), "".join(TEXT.findall(literals)))
            if metrics.setdefault(name, found) != found:
                problems.append(f"{path.relative_to(root)}:1: {name} has another type or help text elsewhere")
        for name in NAME.findall(text):
            mentioned.setdefault(name, path.relative_to(root))
    for name, path in mentioned.items():
        stems = [name, *(name.removesuffix(suffix) for suffix in SUFFIXES)]
        if not any(stem in metrics for stem in stems):
            problems.append(f"{path}:1: {name} looks like a metric, but is not given to the registry with a "
                            "literal name and help text")
    return metrics, problems


def table(metrics):
    lines = ["\n| metric | type | what it says |\n|---|---|---|\n"]
    for name, (kind, text) in sorted(metrics.items()):
        text = text.replace('\\"', '"').replace("|", "\\|")
        lines.append(f"| `{name}` | {kind} | {text} |\n")
    return "".join(lines) + "\n"


def main(root, write=False):
    """Problems as one line each, as tools/check prints them."""
    metrics, problems = read_metrics(root)
    document = root / DOCUMENT
    text = document.read_text()
    before, begin, rest = text.partition(BEGIN)
    written, end, after = rest.partition(END)
    if not begin or not end:
        return [*problems, f"{DOCUMENT}:1: lacks the lines `{BEGIN.strip()}` and `{END.strip()}`"]
    wanted = table(metrics)
    if write:
        document.write_text(before + begin + wanted + end + after)
    elif written != wanted:
        differing = set(written.splitlines()) ^ set(wanted.splitlines())
        names = sorted({name for line in differing for name in re.findall(r"`(penstock_\w+)`", line)})
        line = before.count("\n") + 1
        problems.append(f"{DOCUMENT}:{line}: the table of metrics is not true of {', '.join(names) or 'its order'}: "
                        "run tools/metrics_reference.py --write")
    return problems


if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if a != "--write"]
    found = main(pathlib.Path(arguments[0] if arguments else pathlib.Path(__file__).parents[1]),
                 "--write" in sys.argv)
    print("\n".join(found), end="\n" if found else "")
    sys.exit(bool(found))
