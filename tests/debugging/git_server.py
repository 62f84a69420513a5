"""A git server of an outsider: git's own HTTP back end behind a token, over http or https."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class GitServer:
    """Serves the repositories under `root`. `/moved…` redirects to `/repo…`, `/echo…` sends back in
    an error what it was sent. While `hold` is set, packs are not sent, and `reached` says that one
    was asked for."""

    def __init__(self, root: Path, token: str) -> None:
        self.root = root
        self.token = token
        self.authorizations: list[str] = []
        self.address = ""
        self.hold = threading.Event()
        self.reached = threading.Event()
        self.released = threading.Event()

    def accepts(self, authorization: str) -> bool:
        kind, _, value = authorization.partition(" ")
        pair = base64.b64decode(value).decode() if kind == "Basic" else ""
        return self.token in (pair, pair.partition(":")[2])


@contextmanager
def running(root: Path, token: str, *, certificates: Path | None = None) -> Iterator[GitServer]:
    """With `certificates`, a directory that gets `ca.pem`, it speaks https."""
    server = GitServer(root, token)
    handler = type("Handler", (_Handler,), {"git": server})
    listening = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    listening.daemon_threads = True
    if certificates is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*_certificate(certificates))
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
    scheme = "https" if certificates else "http"
    server.address = f"{scheme}://127.0.0.1:{listening.server_port}"
    thread = threading.Thread(target=listening.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        listening.shutdown()
        thread.join()
        listening.server_close()


class _Handler(BaseHTTPRequestHandler):
    git: GitServer
    # An answer that ends with the connection looks cut off to git over TLS.
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.git.hold.is_set() and b"want " in body:
            self.git.reached.set()
            self.git.released.wait(60)
        self._serve(body)

    def _serve(self, body: bytes) -> None:
        authorization = self.headers.get("authorization") or ""
        self.git.authorizations.append(authorization)
        if self.path.startswith("/moved"):
            self._answer(301, {"Location": self.path.replace("/moved", "/repo")})
        elif self.path.startswith("/echo"):
            said = b"ERR You sent " + authorization.encode()
            packets = b"001e# service=git-upload-pack\n0000%04x%s" % (len(said) + 4, said)
            kind = "application/x-git-upload-pack-advertisement"
            self._answer(200, {"Content-Type": kind}, packets)
        elif not self.git.accepts(authorization):
            self._answer(401, {"WWW-Authenticate": "Basic"})
        else:
            self._answer(200, *self._of_git(body))

    def _of_git(self, body: bytes) -> tuple[dict[str, str], bytes]:
        path, _, query = self.path.partition("?")
        variables: dict[str, str] = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.git.root),
            "PATH_INFO": path,
            "GIT_HTTP_EXPORT_ALL": "1",
            "QUERY_STRING": query,
            "REMOTE_USER": "ada",
            "REQUEST_METHOD": self.command,
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": self.headers.get("content-type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": self.headers.get("git-protocol", ""),
        }
        done = subprocess.run(
            ["git", "http-backend"], input=body, capture_output=True, check=True, env=variables
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        pairs = (line.partition(": ") for line in head.decode().split("\r\n"))
        return {name: value for name, _, value in pairs}, content

    def _answer(self, status: int, headers: dict[str, str], content: bytes = b"") -> None:
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            self.close_connection = True  # the client was stopped, which is what a test wants

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


def _certificate(directory: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Acme git")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    directory.mkdir(parents=True, exist_ok=True)
    certificate, private = directory / "ca.pem", directory / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, private
