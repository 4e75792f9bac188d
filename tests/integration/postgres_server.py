"""PostgresServer is a PostgreSQL 15 of a test's own: it is started, killed and asked by the test."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from penstock_process import free_port

BIN = pathlib.Path("/usr/lib/postgresql/15/bin")


def process_children(pid):
    """The processes whose parent is `pid`."""
    children = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            children.append(int(stat.parent.name))
    return children


class PostgresServer:
    """One instance on a port of its own, in a folder of its own. It refuses to run as root, so it runs as
    the user `postgres` there."""

    def __init__(self, primary=None):
        """With `primary`: a streaming replica of that one, which must be running."""
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="penstock-postgres-"))
        self.user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
        if self.user:
            shutil.chown(self.folder, "postgres", "postgres")
        self.port = free_port()
        self.log = self.folder / "log"
        self.process = None
        if primary is not None:
            self.run([BIN / "pg_basebackup", "-D", self.folder / "data", "-h", "127.0.0.1", "-p", primary.port,
                      "-U", "app", "-R", "-X", "stream", "-c", "fast", "-N"])
            return
        self.run([BIN / "initdb", "-D", self.folder / "data", "-U", "app", "-A", "trust", "-E", "UTF8",
                  "--locale=C.UTF-8", "-N"])

    def run(self, command):
        done = subprocess.run([str(part) for part in command], cwd=self.folder, capture_output=True, text=True,
                              timeout=60, **self.user)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def start(self):
        """Starts it, also after kill(); returns when it answers. Power is not lost here, so nothing is
        synced to the disk: fsync=off."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [BIN / "postgres", "-D", self.folder / "data", "-p", str(self.port), "-h", "127.0.0.1",
                 "-k", str(self.folder), "-c", "fsync=off", "-c", "shared_buffers=64MB"],
                cwd=self.folder, stdout=log, stderr=log, **self.user)
        deadline = time.monotonic() + 60
        while subprocess.run([BIN / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                             check=False).returncode != 0:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, "PostgreSQL did not start in time"
            time.sleep(0.02)

    def kill(self):
        """kill -9 of all its processes, as when the machine dies; returns when they are gone."""
        if self.process is None or self.process.poll() is not None:
            return
        children = process_children(self.process.pid)
        for pid in [self.process.pid, *children]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        deadline = time.monotonic() + 30
        while any(pathlib.Path(f"/proc/{pid}").exists() for pid in children):
            assert time.monotonic() < deadline, "PostgreSQL's processes do not end"
            time.sleep(0.005)

    def signal_all(self, number):
        os.kill(self.process.pid, number)
        for pid in process_children(self.process.pid):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass  # a worker that has ended meanwhile

    def sql(self, statement):
        """The rows of the statement's result, as lists of texts; a null is an empty text."""
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", "-h",
                               "127.0.0.1", "-p", str(self.port), "-U", "app", "-d", "postgres", "-c", statement],
                              capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return [line.split("\x1f") for line in done.stdout.splitlines()]

    def value(self, statement):
        return self.sql(statement)[0][0]

    def promote(self):
        """Makes a replica the primary; returns when it takes writes."""
        assert self.value("SELECT pg_promote(true, 60)") == "t"

    def replicate_synchronously(self):
        """From now on a COMMIT is answered when a replica has it. Returns when there is one."""
        self.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.sql("SELECT pg_reload_conf()")
        deadline = time.monotonic() + 60
        while self.value("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") != "1":
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)

    def remove(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
