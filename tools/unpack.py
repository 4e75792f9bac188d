#!/usr/bin/env python3
"""Takes some files out of a wheel or a tarball.

Usage: unpack.py ARCHIVE PREFIX TARGET NAME...

Every member PREFIX + NAME (a file, or a folder if NAME ends in a slash) goes to TARGET/NAME. Fails
if a NAME has no member.
"""
import pathlib
import sys
import tarfile
import zipfile


def members(archive):
    """Yields (name, function that reads it) for every file in the archive."""
    if archive.endswith(".whl"):
        with zipfile.ZipFile(archive) as wheel:
            for name in wheel.namelist():
                if not name.endswith("/"):
                    yield name, lambda name=name: wheel.read(name)
    else:
        with tarfile.open(archive) as tarball:
            for member in tarball:
                if member.isfile():
                    yield member.name, lambda member=member: tarball.extractfile(member).read()


def main(archive, prefix, target, *wanted):
    missing = set(wanted)
    for name, read in members(archive):
        relative = name.removeprefix(prefix)
        hit = next((w for w in wanted if relative == w or w.endswith("/") and relative.startswith(w)), None)
        if not name.startswith(prefix) or hit is None or ".." in pathlib.PurePath(relative).parts:
            continue
        file = pathlib.Path(target) / relative
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(read())
        missing.discard(hit)
    if missing:
        sys.exit(f"{archive}: no {', '.join(sorted(missing))} below {prefix}")


if __name__ == "__main__":
    main(*sys.argv[1:])
