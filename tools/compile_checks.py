#!/usr/bin/env python3
"""Checks that need a compiler: clang-tidy on every source, headers that must compile alone.

Usage: compile_checks.py tidy|headers [--build FOLDER] [--jobs N] [FILE...]

Flags come from FOLDER/compile_commands.json (default build/dev). A result is kept under the hash of
everything it depends on: the file, all our headers it includes, its flags, the configuration; not their
comments, NOLINT aside. So only what changed is checked again, in whichever copy of the repository.
PENSTOCK_CHECK_CACHE moves the cache (default ~/.cache/penstock-checks).
"""
import argparse
import concurrent.futures
import contextlib
import functools
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
OWN_FOLDERS = ("src", "apps", "tests", "bench")
INCLUDE_ROOTS = ("src", "apps", "tests")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', re.M)
COMMENT_OR_LITERAL = re.compile(
    r"""//[^\n]*|/\*.*?\*/|\bR"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\b\d[\w']*|'(?:\\.|[^'\\\n])*'""",
    re.S)
DEPS = pathlib.Path(os.environ.get("PENSTOCK_DEPS", ROOT / ".deps")).resolve()
TIDY = str(DEPS / "venv/bin/clang-tidy")
# Clang reports what g++ does not (the clang preset switches these off too), and checks the locks.
# Deprecated is what libstdc++ 12 calls in itself; g++ reports what we call.
# The analyzer gives a function up after less than a tenth of its usual number of states: the rest finds
# little and takes more time than all other checks together.
TIDY_FLAGS = ["-Wno-unknown-warning-option", "-Wno-sign-conversion", "-Wno-deprecated-declarations",
              "-Wthread-safety",
              "-Xclang", "-analyzer-config", "-Xclang", "max-nodes=20000"]
# Tests tell stories in one long function, need not be fast, and show when they cannot start; and the
# analyzer takes half of the time.
TIDY_IN_TESTS = ("-clang-analyzer-*,-performance-*,-bugprone-throwing-static-initialization,"
                 "-readability-function-size,"
                 "-readability-function-cognitive-complexity,"
                 "-cppcoreguidelines-avoid-non-const-global-variables")
CACHE_FORMAT = "3"
CACHE_DAYS = 28


@functools.lru_cache(maxsize=None)
def read(path):
    return path.read_text(errors="replace")


@functools.lru_cache(maxsize=None)
def code_of(path):
    """The text without its // comments; those that tell the checks something stay."""
    code = COMMENT_OR_LITERAL.sub(
        lambda m: m.group() if not m.group().startswith("//") or "NOLINT" in m.group() else "", read(path))
    return "\n".join(line.rstrip() for line in code.split("\n"))


def essence_of_header(path):
    """Its code without empty lines: nothing in it moves a result of the sources that include it."""
    return "\n".join(line for line in code_of(path).split("\n") if line)


@functools.lru_cache(maxsize=None)
def includes_of(path):
    """Our files that `path` includes directly."""
    found = []
    for name in INCLUDE.findall(read(path)):
        candidates = [ROOT / folder / name for folder in INCLUDE_ROOTS] + [path.parent / name]
        found += [c for c in candidates if c.is_file()][:1]
    return found


def closure(path):
    """`path` and all our files it includes, directly or not, sorted."""
    seen, todo = set(), [path]
    while todo:
        file = todo.pop()
        if file not in seen:
            seen.add(file)
            todo += includes_of(file)
    return sorted(seen)


def key_of(path, flags, *more):
    """Hash of all that the result depends on; the same in every copy of the repository."""
    key = hashlib.sha256()
    for part in (CACHE_FORMAT, *more, *flags):
        key.update(part.replace(str(DEPS), "<deps>").replace(str(ROOT), "<root>").encode() + b"\0")
    for file in closure(path):
        # The length of a function counts, and the long ones are in sources.
        text = essence_of_header(file) if file.suffix == ".h" else code_of(file)
        key.update(str(file.relative_to(ROOT)).encode() + b"\0" + text.encode() + b"\0")
    return key.hexdigest()


def flags_by_file(build):
    """{C++ source: the flags that matter for reading it}, from compile_commands.json."""
    flags = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if not entry["file"].endswith(".cc"):
            continue  # a library's, in C
        words, kept = shlex.split(entry["command"]), []
        i = next(i for i, w in enumerate(words) if re.search(r"(c\+\+|g\+\+|clang\+\+)[\d.-]*$", w)) + 1
        while i < len(words):
            if words[i] in ("-c", "-o"):
                i += 1
            elif words[i] in ("-isystem", "-I", "-D"):
                kept += words[i:i + 2]
                i += 1
            elif words[i].startswith(("-I", "-D", "-W", "-std", "-f", "-m")) and words[i] != "-Werror":
                kept.append(words[i])
            i += 1
        flags[pathlib.Path(entry["file"])] = kept
    return flags


def own(paths):
    return sorted(p for p in paths
                  if p.is_relative_to(ROOT) and p.relative_to(ROOT).parts[0] in OWN_FOLDERS)


def is_test(path):
    return path.stem.endswith(("_test", "_bench")) or path.relative_to(ROOT).parts[0] in ("tests", "bench")


def version_of(program):
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout


def tidy_tasks(flags):
    version = version_of(TIDY)
    config = read(ROOT / ".clang-tidy")
    for path in own(flags):
        command = [TIDY, "--quiet", str(path)]
        if is_test(path):
            command.append(f"--checks={TIDY_IN_TESTS}")
        command += ["--", *flags[path], *TIDY_FLAGS]
        yield path, command, key_of(path, command, "tidy", version, config)


def header_tasks(flags):
    """Headers that no source includes first: nothing else proves that they compile alone."""
    proven = {includes_of(path)[0] for path in own(flags) if includes_of(path)}
    by_folder = {path.relative_to(ROOT).parts[:2]: flags[path] for path in flags if path in own(flags)}
    compiler = os.environ.get("CXX", "g++")
    version = version_of(compiler)
    for folder in ("src", "apps"):
        for path in sorted((ROOT / folder).rglob("*.h")):
            if path in proven:
                continue
            fallback = ["-std=c++20", f"-I{ROOT / 'src'}", f"-I{ROOT / 'apps'}"]
            known = by_folder.get(path.relative_to(ROOT).parts[:2], fallback)
            command = [compiler, *known, "-fsyntax-only", "-include", str(path), "-x", "c++", "/dev/null"]
            yield path, command, key_of(path, command, "headers", version)


def run(command):
    """Problem lines with paths relative to the repository; empty if all is well."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    text = (done.stdout if command[0] == TIDY else done.stderr).replace(f"{ROOT}/", "")
    if done.returncode == 0:
        return ""
    return text.strip() or f"{command[-1]}: `{shlex.join(command)}` failed: {done.stderr.strip()}"


def check(task, cache):
    path, command, key = task
    stamp = cache / key[:2] / key
    if stamp.exists():
        os.utime(stamp)
        return path, ""
    problems = run(command)
    if not problems:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.touch()
    return path, problems


def cache_folder():
    if "PENSTOCK_CHECK_CACHE" in os.environ:
        return pathlib.Path(os.environ["PENSTOCK_CHECK_CACHE"])
    home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(home) / "penstock-checks"


def forget_old_results(cache, now):
    """Removes what no run has asked for during CACHE_DAYS."""
    for stamp in cache.glob("*/*"):
        with contextlib.suppress(FileNotFoundError):  # another run was faster
            if stamp.stat().st_mtime < now - CACHE_DAYS * 24 * 3600:
                stamp.unlink()


def print_progress(kind, done, total, started):
    if sys.stderr.isatty():
        print(f"\r  {kind} {done}/{total}", end="" if done < total else "\n", file=sys.stderr, flush=True)
    elif time.monotonic() - print_progress.last > 20:
        print(f"  {kind}: {done} of {total} files after {time.monotonic() - started:.0f} s",
              file=sys.stderr, flush=True)
        print_progress.last = time.monotonic()


def check_all(kind, build, jobs, files):
    cache = cache_folder()
    forget_old_results(cache, time.time())
    flags = flags_by_file(build)
    tasks = list({"tidy": tidy_tasks, "headers": header_tasks}[kind](flags))
    if files:
        wanted = {pathlib.Path(f).resolve() for f in files}
        tasks = [t for t in tasks if t[0] in wanted]
    started = print_progress.last = time.monotonic()
    seen, failed = set(), 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        results = [pool.submit(check, task, cache) for task in tasks]
        for done, result in enumerate(concurrent.futures.as_completed(results), 1):
            _, problems = result.result()
            print_progress(kind, done, len(tasks), started)
            failed += bool(problems)
            # A header's problem is found again from every source that includes it.
            for block in re.split(r"\n(?=[\w./-]+:\d+:\d+: (?:error|warning))", problems):
                if block and block not in seen:
                    seen.add(block)
                    print(block, flush=True)
    return failed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=["tidy", "headers"])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/dev")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 8))
    parser.add_argument("files", nargs="*")
    options = parser.parse_intermixed_args()
    sys.exit(bool(check_all(options.kind, options.build, options.jobs, options.files)))
