#!/usr/bin/env python3
"""Checks that every #include goes through a door listed in src/doors.txt.

Usage: check_doors.py [REPOSITORY]

Rooms are the folders of src/. What lies outside (apps/, tests/, bench/, examples/) may include any
room. Prints one line per problem and fails if there is one.
"""
import pathlib
import re
import sys

LINE = re.compile(r"(?P<floor>\d+)\s+(?P<room>\w+):(?P<doors>[^|]*)\|?(?P<owned>.*)")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(["<])([^">]+)[">]', re.M)
FREE_IN_TESTS = {"gtest", "gmock"}
FREE_IN_BENCHES = {"benchmark"}
ONLY_OUTSIDE_SRC = {"CLI": "apps/", "mimalloc.h": "apps/", "benchmark": "*_bench.cc files"}
# Test files may open this room besides the doors of their own.
TEST_ROOM = "testing"


def read_doors(text, name="src/doors.txt"):
    """Returns ({room: (floor, doors, owned headers)}, problems)."""
    rooms, problems = {}, []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        match = LINE.fullmatch(line)
        if not match:
            problems.append(f"{name}:{number}: write `floor room: doors | headers`")
            continue
        if match["room"] in rooms:
            problems.append(f"{name}:{number}: {match['room']} is listed twice")
        rooms[match["room"]] = (int(match["floor"]), set(match["doors"].split()),
                                set(match["owned"].split()))
    for room, (floor, doors, _) in rooms.items():
        for door in sorted(doors):
            if door not in rooms:
                problems.append(f"{name}: {room} has a door to {door}, which is not a room")
            elif rooms[door][0] >= floor:
                problems.append(f"{name}: {room} (floor {floor}) has a door to {door} (floor "
                                f"{rooms[door][0]}): doors go down at least one floor")
    return rooms, problems


def owners_of(rooms):
    owners = {}
    for room, (_, _, owned) in rooms.items():
        for header in owned:
            owners.setdefault(header, []).append(room)
    return owners


def check_text(path, text, rooms, owners):
    """Problems of one file; `path` is relative to src/, as in wal/segment.cc."""
    room = path.parts[0]
    if room not in rooms:
        return [f"src/{path}: {room} is not a room of src/doors.txt: add a line for it"]
    allowed, free = rooms[room][1] | {room}, set()
    if path.stem.endswith("_test"):
        allowed, free = allowed | {TEST_ROOM}, FREE_IN_TESTS
    elif path.stem.endswith("_bench"):
        allowed, free = allowed | {TEST_ROOM}, FREE_IN_BENCHES
    problems = []
    for match in INCLUDE.finditer(text):
        quote, header = match.groups()
        where = f"src/{path}:{text.count(chr(10), 0, match.start()) + 1}"
        first = header.split("/")[0]
        if quote == '"':
            if first in free or first in owners:
                problems.append(f"{where}: write <{header}>: quotes are for our own headers")
            elif "/" not in header or first not in rooms:
                problems.append(f'{where}: include "{header}" from the root of src/, as in '
                                f'"{room}/file.h"')
            elif first not in allowed:
                problems.append(f"{where}: {room} has no door to {first}; use what its doors offer, "
                                "or propose a door in src/doors.txt and say why")
        elif first in free:
            continue
        elif first in owners and room not in owners[first]:
            problems.append(f"{where}: <{header}> belongs to {' and '.join(owners[first])}; use it "
                            "through that room")
        elif first in ONLY_OUTSIDE_SRC:
            problems.append(f"{where}: <{header}> belongs to {ONLY_OUTSIDE_SRC[first]}")
    return problems


def main(root):
    rooms, problems = read_doors((root / "src/doors.txt").read_text())
    if problems:
        return problems
    owners = owners_of(rooms)
    for file in sorted((root / "src").rglob("*")):
        if file.suffix in (".h", ".cc"):
            problems += check_text(file.relative_to(root / "src"), file.read_text(), rooms, owners)
    return problems


if __name__ == "__main__":
    found = main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "."))
    print("\n".join(found), end="\n" if found else "")
    sys.exit(bool(found))
