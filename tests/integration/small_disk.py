"""A small file system of a test's own, which can be filled. Needs root."""
import contextlib
import os
import subprocess

import pytest


@contextlib.contextmanager
def small_disk(path, size):
    """Mounts a tmpfs of `size` bytes at `path`, which is made."""
    path.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting a tmpfs needs root")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path],
                             capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.strip()}")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=True)
