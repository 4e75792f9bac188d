"""TLS, SCRAM users and client certificates of a cluster: all made by openssl at its start, all thrown away.

Clients come in by the listener CLIENT, whose protocol is the one that was asked for. Nodes speak to each other
with TLS, and show certificates, whenever clients do.
"""
import pathlib
import secrets
import ssl
import subprocess

MODES = {"plaintext": "PLAINTEXT", "ssl": "SSL", "sasl_ssl": "SASL_SSL", "mtls": "SSL"}
NODE = "kafka-node"  # the name in the certificate of all nodes
USER = "penstock"
MECHANISM = "SCRAM-SHA-512"


class Security:
    """What is in the folder of a cluster for one mode. `make` fills it."""

    def __init__(self, mode: str, folder: pathlib.Path) -> None:
        self.mode = mode
        self.folder = folder
        self.ca, self.node = folder / "ca.pem", folder / "node.pem"
        self.password_file = folder / "password"

    @property
    def encrypted(self) -> bool:
        return self.mode != "plaintext"

    def make(self) -> None:
        if not self.encrypted:
            return
        self.folder.mkdir(mode=0o700)
        make_authority(self.folder)
        certify(self.folder, NODE)
        certify(self.folder, USER)
        self.node.write_text((self.folder / f"{NODE}.key").read_text() + (self.folder / f"{NODE}.pem").read_text())
        self.password_file.write_text(secrets.token_urlsafe(18))

    def node_settings(self) -> dict[str, str]:
        """Protocols of the listeners, and what they need."""
        inside = "SSL" if self.encrypted else "PLAINTEXT"
        found = {"listener.security.protocol.map":
                 f"CLIENT:{MODES[self.mode]},INTERNAL:{inside},CONTROLLER:{inside}"}
        if not self.encrypted:
            return found
        found |= {"ssl.keystore.type": "PEM", "ssl.keystore.location": str(self.node),
                  "ssl.truststore.type": "PEM", "ssl.truststore.location": str(self.ca),
                  "listener.name.internal.ssl.client.auth": "required",
                  "listener.name.controller.ssl.client.auth": "required",
                  "listener.name.client.ssl.client.auth": "required" if self.mode == "mtls" else "none"}
        if self.mode == "sasl_ssl":
            found |= {"sasl.enabled.mechanisms": MECHANISM,
                      f"listener.name.client.{MECHANISM.lower()}.sasl.jaas.config":
                      "org.apache.kafka.common.security.scram.ScramLoginModule required;"}
        return found

    def format_arguments(self) -> list[str]:
        """For the storage tool: the first user."""
        if self.mode != "sasl_ssl":
            return []
        return ["--add-scram", f"{MECHANISM}=[name={USER},password={self.password_file.read_text()}]"]

    def client_settings(self) -> dict[str, str]:
        """What a client needs to come in, with librdkafka's keys."""
        if not self.encrypted:
            return {}
        found = {"security.protocol": MODES[self.mode].lower(), "ssl.ca.location": str(self.ca)}
        if self.mode == "sasl_ssl":
            found |= {"sasl.mechanism": MECHANISM, "sasl.username": USER,
                      "sasl.password": self.password_file.read_text()}
        if self.mode == "mtls":
            found |= {"ssl.certificate.location": str(self.folder / f"{USER}.pem"),
                      "ssl.key.location": str(self.folder / f"{USER}.key")}
        return found

    def java_admin_settings(self) -> dict[str, str]:
        """For Kafka's own tools, by the nodes' listener and with the nodes' certificate."""
        if not self.encrypted:
            return {}
        return {"security.protocol": "SSL", "ssl.truststore.type": "PEM", "ssl.truststore.location": str(self.ca),
                "ssl.keystore.type": "PEM", "ssl.keystore.location": str(self.node)}

    def context(self) -> ssl.SSLContext | None:
        """For asking nodes by their own listener."""
        if not self.encrypted:
            return None
        context = ssl.create_default_context(cafile=str(self.ca))
        context.load_cert_chain(str(self.node))
        return context


def openssl(*arguments: str, text: str | None = None) -> None:
    done = subprocess.run(["openssl", *arguments], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")


def make_key(path: pathlib.Path) -> None:
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(path))


def make_authority(folder: pathlib.Path) -> None:
    """ca.key and ca.pem in the folder."""
    make_key(folder / "ca.key")
    openssl("req", "-x509", "-new", "-key", str(folder / "ca.key"), "-days", "30", "-subj", "/CN=throw-away authority",
            "-out", str(folder / "ca.pem"))


def certify(folder: pathlib.Path, name: str) -> None:
    """NAME.key and NAME.pem in the folder, signed by its authority, for servers on loopback and for clients."""
    make_key(folder / f"{name}.key")
    request, extensions = folder / f"{name}.csr", folder / f"{name}.ext"
    extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n")
    openssl("req", "-new", "-key", str(folder / f"{name}.key"), "-subj", f"/CN={name}", "-out", str(request))
    openssl("x509", "-req", "-in", str(request), "-CA", str(folder / "ca.pem"), "-CAkey", str(folder / "ca.key"),
            "-set_serial", f"0x{secrets.token_hex(16)}", "-days", "30", "-extfile", str(extensions),
            "-out", str(folder / f"{name}.pem"))
    request.unlink()
    extensions.unlink()
