"""Real S3 servers of a test's own, and a client for the test that is not ours: pyarrow's, which is AWS's.

tools/setup brings the servers. Where one could not be had, `unavailable()` says why, and tests skip it."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import http.client

import pyarrow.fs

from penstock_process import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPS = pathlib.Path(os.environ.get("PENSTOCK_DEPS", ROOT / ".deps"))
KEY, SECRET = "penstock-key", "penstock/secret+for=tests"
BUCKET = "archive"


class S3Server:
    """Starts, kills and starts again one server with its data in a folder of its own."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="penstock-s3-"))
        (self.folder / "data").mkdir()
        self.port = free_port()
        self.process = None

    def start(self):
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([str(part) for part in self.command()], stdout=log, stderr=log,
                                            cwd=self.folder, env={**os.environ, **self.environment()})
        deadline = time.monotonic() + 60
        while not self.answers():
            assert self.process.poll() is None, (self.folder / "log").read_text(errors="replace")[-2000:]
            assert time.monotonic() < deadline, f"{self.name} did not start in time"
            time.sleep(0.05)

    def answers(self):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/")
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False

    def environment(self):
        return {}

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def remove(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def files(self, scheme="http", **options):
        """The bucket's files for pyarrow, made if it is not there."""
        system = pyarrow.fs.S3FileSystem(
            access_key=KEY, secret_key=SECRET, region="us-east-1", scheme=scheme, allow_bucket_creation=True,
            endpoint_override=f"127.0.0.1:{self.port}", **options)
        system.create_dir(BUCKET)
        return system


class VersityGateway(S3Server):
    """versitygw, with plain files below."""
    name = "versitygw"
    binary = DEPS / "versitygw-1.8.0" / "versitygw"

    @classmethod
    def unavailable(cls):
        return None if cls.binary.exists() else f"{cls.binary} is not there: it needs Go 1.25 at tools/setup"

    def command(self):
        return [self.binary, "--quiet", "--port", f"127.0.0.1:{self.port}", "--iam-dir", self.folder / "iam",
                *self.more(), "posix", self.folder / "data"]

    def more(self):
        return []

    def environment(self):
        (self.folder / "iam").mkdir(exist_ok=True)
        return {"ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET}


class TlsGateway(VersityGateway):
    """The same with TLS, by a certificate of its own."""

    def __init__(self):
        super().__init__()
        self.certificate = self.folder / "cert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=s3",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(self.folder / "key.pem"), "-out",
                        str(self.certificate)], check=True, capture_output=True)

    def more(self):
        return ["--cert", self.certificate, "--key", self.folder / "key.pem"]

    def answers(self):
        done = subprocess.run(["curl", "-sk", "-o", "/dev/null", f"https://127.0.0.1:{self.port}/"], check=False)
        return done.returncode == 0


class S3Proxy(S3Server):
    """S3Proxy, on its own store of files."""
    name = "s3proxy"
    jars = DEPS / "s3proxy-4.1.0"

    @classmethod
    def unavailable(cls):
        return None if cls.jars.is_dir() and shutil.which("java") else f"{cls.jars} or java is not there"

    def command(self):
        (self.folder / "logback.xml").write_text(
            '<configuration><appender name="A" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%m%n'
            '</pattern></encoder></appender><root level="WARN"><appender-ref ref="A"/></root></configuration>')
        (self.folder / "s3proxy.conf").write_text("\n".join([
            f"s3proxy.endpoint=http://127.0.0.1:{self.port}", "s3proxy.authorization=aws-v2-or-v4",
            f"s3proxy.identity={KEY}", f"s3proxy.credential={SECRET}", "jclouds.provider=filesystem-nio2",
            "jclouds.identity=i", "jclouds.credential=c", f"jclouds.filesystem.basedir={self.folder / 'data'}"]))
        return ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", f"-Dlogback.configurationFile={self.folder}/logback.xml",
                "-cp", f"{self.jars}/*", "org.gaul.s3proxy.Main", "--properties", self.folder / "s3proxy.conf"]


SERVERS = [VersityGateway, S3Proxy]


def download(files, folder, prefix=""):
    """Every object below `prefix`, copied into `folder`/archive. Returns their keys."""
    keys = []
    root = f"{BUCKET}/{prefix}".rstrip("/")
    for info in files.get_file_info(pyarrow.fs.FileSelector(root, recursive=True)):
        if info.type != pyarrow.fs.FileType.File:
            continue
        key = info.path[len(root) + 1:]
        path = folder / "archive" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.open_input_stream(info.path) as source:
            path.write_bytes(source.read())
        keys.append(key)
    return keys
