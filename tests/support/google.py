"""Stands in for the two services that sign addresses without a key file.

    with google_stand_in(tmp_path) as google:
        subprocess.run(..., env=google.environment)
    google.key.public_key().verify(...)

One is the metadata server of the platform, which names the account and gives its token; the other
is ``signBlob`` of the IAM Credentials API, reached by its real name through a proxy that the
environment names and that has a certificate of its own.
"""

from __future__ import annotations

import base64
import json
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

HOST = "iamcredentials.googleapis.com"
EMAIL = "sopor-api@my-project.iam.gserviceaccount.com"
TOKEN = "ya29.the-token-of-the-account"


@dataclass
class GoogleStandIn:
    """What was asked, what is answered, and the key that signs."""

    folder: Path
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    status: int = 200
    asked: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)

    def metadata(self, path: str) -> tuple[int, str, bytes]:
        """Answers as the metadata server: status, media type, body."""
        self.asked.append(f"metadata {path}")
        place = path.partition("?")[0].rstrip("/").removeprefix("/computeMetadata/v1")
        if place in ("", "/"):
            return 200, "text/plain", b"instance/"
        if place == "/project/project-id":
            return 200, "text/plain", b"my-project"
        if place in (f"/instance/service-accounts/{name}" for name in ("default", EMAIL)):
            return 200, "application/json", json.dumps({"email": EMAIL, "scopes": []}).encode()
        if place.endswith("/email"):
            return 200, "text/plain", EMAIL.encode()
        if place.endswith("/token"):
            token = {"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"}
            return 200, "application/json", json.dumps(token).encode()
        return 404, "text/plain", b"not found"

    def sign(self, path: str, token: str | None, body: bytes) -> tuple[int, str, bytes]:
        """Answers as ``signBlob``."""
        self.asked.append(f"iam {path}")
        expected = f"/v1/projects/-/serviceAccounts/{EMAIL}:signBlob"
        if path.partition("?")[0] != expected or token != f"Bearer {TOKEN}":
            return 401, "application/json", b"{}"
        if self.status != 200:
            return self.status, "application/json", b'{"error": {"message": "my-project"}}'
        payload = base64.b64decode(json.loads(body)["payload"])
        signature = self.key.sign(payload, padding.PKCS1v15(), hashes.SHA256())
        answer = {"keyId": "1", "signedBlob": base64.b64encode(signature).decode()}
        return 200, "application/json", json.dumps(answer).encode()


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def reply(self, status: int, media_type: str, body: bytes) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Metadata-Flavor", "Google")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Says nothing."""


def _metadata_server(google: GoogleStandIn) -> ThreadingHTTPServer:
    class Handler(_Answering):
        def do_GET(self) -> None:
            self.reply(*google.metadata(self.path))

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def _iam_proxy(google: GoogleStandIn, context: ssl.SSLContext) -> ThreadingHTTPServer:
    class Handler(_Answering):
        def do_CONNECT(self) -> None:
            if self.path != f"{HOST}:443":
                self.reply(403, "text/plain", b"")
                return
            self.send_response_only(200)
            self.end_headers()
            self.connection = context.wrap_socket(self.connection, server_side=True)
            self.rfile = self.connection.makefile("rb")
            self.wfile = self.connection.makefile("wb", buffering=0)
            self.close_connection = False

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.reply(*google.sign(self.path, self.headers.get("Authorization"), body))
            self.close_connection = True

        def finish(self) -> None:
            super().finish()
            self.connection.close()

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def certificate(folder: Path) -> Path:
    """Writes a certificate for the real name, which is its own authority, with its key."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign",
         "encipher_only", "decipher_only"), False
    )  # fmt: skip
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=True, **usage), critical=True
        )
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "iam.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


@contextmanager
def google_stand_in(folder: Path) -> Iterator[GoogleStandIn]:
    """Runs both for the length of a ``with`` block."""
    google = GoogleStandIn(folder)
    file = certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    servers = [_metadata_server(google), _iam_proxy(google, context)]
    threads = [
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        for server in servers
    ]
    metadata, proxy = (f"127.0.0.1:{server.server_port}" for server in servers)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GOOGLE_", "SOPOR_"))}
    google.environment = kept | {
        "GCE_METADATA_HOST": metadata,
        "GCE_METADATA_IP": metadata,
        "CLOUDSDK_CONFIG": str(folder / "no-gcloud"),
        "HTTPS_PROXY": f"http://{proxy}",
        "REQUESTS_CA_BUNDLE": str(file),
        "NO_PROXY": "",
        "no_proxy": "",
    }
    for thread in threads:
        thread.start()
    try:
        yield google
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()
