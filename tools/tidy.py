#!/usr/bin/env python3
"""Checks house rules that no compiler knows. docs/style.md says why each of them exists.

Usage: tidy.py [REPOSITORY]

Prints one line per problem, `path:line: what is wrong; what to do`, and fails if there is one. A file
that must break a rule is listed in tools/tidy_allow.txt with its reason.
"""
import pathlib
import re
import subprocess
import sys
from typing import NamedTuple


class Rule(NamedTuple):
    name: str  # how tools/tidy_allow.txt calls it
    pattern: re.Pattern
    instead: str
    where: tuple  # path prefixes the rule is for
    except_in: tuple = ()  # path prefixes it is not for


def rule(name, pattern, instead, where=("src/", "apps/"), except_in=()):
    return Rule(name, re.compile(pattern, re.M), instead, where, except_in)


# Looked for in code without comments and string literals.
BANNED = [
    rule("clock", r"\b(?:system|steady|high_resolution)_clock::now\b|\bclock_gettime\b"
                  r"|\bgettimeofday\b|(?<![\w.>])(?:std::)?time\((?:nullptr|NULL|0)\)",
         "take an os::Clock", except_in=("src/os/",)),
    rule("random", r"(?<![\w.>])(?:std::)?s?rand\(|\bdrand48\b|\bstd::random_device\b"
                   r"|\bstd::mt19937\w*|\bstd::default_random_engine\b",
         "take an os::Random", except_in=("src/os/",)),
    rule("sleep", r"\bsleep_(?:for|until)\b|\b(?:u|nano)sleep\(|(?<![\w.>])sleep\(",
         "wait on a Mailbox with a timeout", except_in=("src/os/",)),
    rule("thread", r"\bstd::(?:j?thread|async)\b", "use os::Thread (os/thread.h)",
         except_in=("src/os/",)),
    rule("file", r"(?<![\w.>])(?:std::)?f(?:re)?open\(|\bstd::[io]?fstream\b"
                 r"|(?<![\w>)])::(?:open|openat|creat)\(", "use os::FileSystem",
         except_in=("src/os/",)),
    rule("regex", r"\bstd::w?(?:regex|smatch|cmatch)\b|#\s*include\s*<regex>",
         "write the few lines of parser"),
    rule("shared_ptr", r"\bstd::(?:shared_ptr|make_shared|enable_shared_from_this|weak_ptr)\b",
         "give it one owner (unique_ptr, or a value); otherwise write an ADR and a line in "
         "tools/tidy_allow.txt"),
    rule("using_namespace", r"\busing\s+namespace\s+(?!std::(?:\w+::)*\w*literals\b)",
         "name what you use", ("src/", "apps/", "tests/", "bench/")),
    rule("stdout", r"\bstd::(?:cout|cerr|clog)\b|(?<![\w.>])(?:std::)?(?:printf|puts)\(",
         "log through telemetry, or return the text", ("src/",)),
    rule("sync_header", r"#\s*include\s*<(?:mutex|shared_mutex|atomic|thread|condition_variable"
                        r"|future|semaphore|latch|barrier|stop_token)>",
         "use core/mailbox.h, core/mutex.h, core/counter.h or os/thread.h",
         except_in=("src/core/", "src/os/", "src/telemetry/")),
    rule("throw", r"\bthrow\b", "return an Error"),
    rule("detach", r"\.detach\(\)", "keep it and join it"),
]

# Looked for in the whole text.
COMMENTS = [
    rule("fixme", r"\bFIXME\b|\bXXX\b", "mend it, or file it and write TODO with the issue's number",
         ("src/", "apps/", "tests/", "bench/", "tools/", "cmake/")),
    rule("todo", r"\bTODO\b(?!\((?:perf|test|#\d+)\))",
         "write TODO(perf), TODO(test) or TODO(#123)",
         ("src/", "apps/", "tests/", "bench/", "tools/", "cmake/")),
    rule("dead_code", r"^[ \t]*// ?(?=\S)(?:(?:if|for|while|switch) \(.*\{|return\b.*;|#include .*"
                      r"|[\w:<>*& ]+ = [^.]*;|[\w:.>-]+\(.*\);|\} ?else\b.*|\};?)[ \t]*$",
         "delete code that is commented out; git remembers it", ("src/", "apps/", "tests/", "bench/")),
]
MACHINE_PATH = rule("machine_path", r"(?<![\w.$}~-])/(?:work|root|home)/\w",
                    "write a path that exists everywhere", ("",))

LITERAL = re.compile(
    r"""//[^\n]*|/\*.*?\*/|\bR"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\b\d[\w']*|'(?:\\.|[^'\\\n])*'""",
    re.S)
# A path in backticks: from the root, or from src/, or beside the document that names it.
QUOTED = re.compile(r"(?<!`)`([\w.*/+-]+)`(?!`)")
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)(?:#[^)]*)?\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)
ROOT_FOLDERS = ("src/", "apps/", "tests/", "bench/", "tools/", "docs/", "cmake/", "third_party/",
                "examples/", "deploy/", "web/", ".ci/")
FILE_ENDINGS = (".h", ".cc", ".md", ".py", ".cmake")
README_LINES = (10, 100)


def blank(match):
    text = match.group()
    if text[0].isdigit():
        return text
    return re.sub(r"[^\n]", " ", text)


def code_only(text):
    """The text with comments and literals blanked; line numbers stay. Includes keep their names."""
    return "\n".join(raw if raw.lstrip().startswith("#") else cleaned for raw, cleaned in
                     zip(text.split("\n"), LITERAL.sub(blank, text).split("\n")))


def matches(found, path, text, allowed):
    """Problems of one rule in one text."""
    if not path.startswith(found.where) or path.startswith(found.except_in or ("\0",)):
        return
    if (found.name, path) in allowed:
        return
    for match in found.pattern.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield f"{path}:{line}: `{match.group().strip()}`: {found.instead} [{found.name}]"


def check_source(path, text, allowed=frozenset()):
    """Problems of a C++ file."""
    problems, code = [], code_only(text)
    for banned in BANNED:
        problems += matches(banned, path, code, allowed)
    for banned in COMMENTS:
        problems += matches(banned, path, text, allowed)
    if path.endswith(".h"):
        before, pragma, _ = text.partition("#pragma once\n")
        if not pragma:
            problems.append(f"{path}:1: no `#pragma once`: add it after the opening comment")
        elif not re.match(r"// \S", before) or re.search(r"^[^/\n]", before, re.M):
            problems.append(f"{path}:1: no opening comment: say above `#pragma once` what this does "
                            "for its caller")
    if re.search(r"[^a-z0-9_./]", path):
        problems.append(f"{path}:1: file names are snake_case")
    return problems


def looks_like_path(token):
    """True if a token in backticks is meant as a file of this repository."""
    if "NNNN" in token or token.startswith(("build/", "/")) or "//" in token:
        return False
    return token.startswith(ROOT_FOLDERS) or ("/" in token and token.endswith(FILE_ENDINGS))


def exists(root, document, token):
    folders = (root, root / "src", (root / document).parent)
    if "*" in token:
        return any(next(folder.glob(token), None) for folder in folders)
    return any((folder / token).exists() for folder in folders)


def check_document(root, path, text, allowed=frozenset()):
    """Problems of a Markdown file: paths it names that do not exist."""
    problems = []
    prose = FENCE.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)
    tokens = [(m, m.group(1)) for m in QUOTED.finditer(prose) if looks_like_path(m.group(1))]
    tokens += [(m, m.group(1)) for m in LINK.finditer(prose)]
    for match, token in tokens:
        if ("path", path) not in allowed and not exists(root, path, token):
            line = prose.count("\n", 0, match.start()) + 1
            problems.append(f"{path}:{line}: `{token}` does not exist: correct or remove it [path]")
    return problems


def check_rooms(root):
    """Every room with sources has a README of a sensible length."""
    problems = []
    for room in sorted(p for p in (root / "src").iterdir() if p.is_dir()):
        if not any(room.rglob("*.h")) and not any(room.rglob("*.cc")):
            continue
        path, least, most = f"src/{room.name}/README.md", *README_LINES
        if not (root / path).exists():
            problems.append(f"{path}:1: is missing: say in 20-60 lines what belongs in {room.name} "
                            "and what does not")
        elif not least <= len((root / path).read_text().splitlines()) <= most:
            problems.append(f"{path}:1: aim at 20-60 lines, at most {most}")
    return problems


def check_adrs(names):
    """Decision records are called NNNN-title.md and no number is used twice."""
    problems, seen = [], {}
    for name in sorted(n for n in names if n not in ("README.md", "template.md")):
        number = re.match(r"(\d{4})-[a-z0-9-]+\.md$", name)
        if not number:
            problems.append(f"docs/adr/{name}:1: call it NNNN-title.md")
        elif number[1] in seen:
            problems.append(f"docs/adr/{name}:1: {seen[number[1]]} has this number: take the next free one")
        else:
            seen[number[1]] = name
    return problems


def read_allowed(text, files):
    """`rule path reason` lines -> ({(rule, path)}, problems)."""
    allowed, problems = set(), []
    names = {r.name for r in BANNED + COMMENTS + [MACHINE_PATH]} | {"path"}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        where = f"tools/tidy_allow.txt:{number}"
        if len(words) < 3 or words[0] not in names:
            problems.append(f"{where}: write `rule path reason`; rules: {' '.join(sorted(names))}")
        elif words[1] not in files:
            problems.append(f"{where}: {words[1]} does not exist: remove the line")
        else:
            allowed.add((words[0], words[1]))
    return allowed, problems


def list_files(root):
    """The files of the repository as git sees them, new ones included."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=root, capture_output=True, text=True)
    if listed.returncode == 0:
        names = set(listed.stdout.split("\0"))
    else:
        names = {str(p.relative_to(root)) for p in root.rglob("*")}
        names = {n for n in names if not n.startswith(("build/", ".deps/", ".git/"))}
    return sorted(n for n in names if n and (root / n).is_file())


def main(root):
    files = list_files(root)
    allow_file = root / "tools/tidy_allow.txt"
    allowed, problems = read_allowed(allow_file.read_text() if allow_file.exists() else "", set(files))
    for path in files:
        if path.startswith("tests/fuzz/corpus/") or path.startswith("tests/golden/"):
            continue
        try:
            text = (root / path).read_text()
        except UnicodeDecodeError:
            continue
        problems += matches(MACHINE_PATH, path, text, allowed)
        if path.endswith((".h", ".cc")):
            problems += check_source(path, text, allowed)
        elif path.endswith(".md") and path != "CHANGELOG.md":
            problems += check_document(root, path, text, allowed)
    problems += check_rooms(root)
    problems += check_adrs(p.name for p in root.glob("docs/adr/*.md"))
    return problems


if __name__ == "__main__":
    found = main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "."))
    print("\n".join(found), end="\n" if found else "")
    sys.exit(bool(found))
