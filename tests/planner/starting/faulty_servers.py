"""MongoDB servers that a planner cannot use, and a server that only says that it is old."""

import datetime
import socketserver
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import bson
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pymongo import MongoClient

from database.embedded.server import find_mongod
from tests.support.servers import free_port

PASSWORD = "known-to-a-server-of-the-tests-alone"
_OP_REPLY, _OP_QUERY, _OP_MSG = 1, 2004, 2013


class FaultyServers(NamedTuple):
    """The ports of two servers, and a file with the certificate of the second one.

    `plain` has no TLS, and users: `reader` may only read, `writer` may read and write. `tls` requires TLS, and is of a
    replica set that was not initiated.
    """

    plain: int
    tls: int
    certificate: Path


@contextmanager
def faulty_servers(folder: Path) -> Iterator[FaultyServers]:
    """Run both servers for as long as the block runs."""
    certificate = make_certificate(folder)
    servers = FaultyServers(free_port(), free_port(), certificate)
    tls = ("--tlsMode", "requireTLS", "--tlsCertificateKeyFile", str(folder / "server.pem"))
    processes = [
        _start(folder / "plain", servers.plain, "--auth"),
        _start(folder / "tls", servers.tls, "--replSet", "rs0", *tls),
    ]
    try:
        url = f"mongodb://127.0.0.1:{servers.plain}"
        with MongoClient[Any](url) as client:
            client.admin.command("createUser", "root", pwd=PASSWORD, roles=["root"])
        with MongoClient[Any](url, username="root", password=PASSWORD) as client:
            client.admin.command("createUser", "reader", pwd=PASSWORD, roles=["readAnyDatabase"])
            client.admin.command("createUser", "writer", pwd=PASSWORD, roles=[{"role": "readWrite", "db": "planner"}])
        url = f"mongodb://localhost:{servers.tls}/?directConnection=true&tls=true&tlsCAFile={certificate}"
        with MongoClient[Any](url) as client:
            client.admin.command("ping")
        yield servers
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _start(folder: Path, port: int, *arguments: str) -> "subprocess.Popen[bytes]":
    folder.mkdir(parents=True)
    return subprocess.Popen(
        [
            str(find_mongod()),
            *("--dbpath", str(folder), "--port", str(port), "--bind_ip", "127.0.0.1", "--nounixsocket"),
            *("--wiredTigerCacheSizeGB", "0.25", "--quiet", "--logpath", str(folder / "log"), "--oplogSize", "16"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            *arguments,
        ],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def make_certificate(folder: Path) -> Path:
    """Write a certificate for localhost with its key to `server.pem`; return a file with the certificate alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(private + certificate)
    (folder / "certificate.pem").write_bytes(certificate)
    return folder / "certificate.pem"


@contextmanager
def old_server(wire_version: int) -> Iterator[int]:
    """Yield the port of a server that responds to each command as a primary of this wire version does."""
    hello = {"ok": 1, "ismaster": True, "isWritablePrimary": True, "minWireVersion": 0, "maxWireVersion": wire_version}

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while len(head := self.rfile.read(16)) == 16:
                length, request, _, kind = struct.unpack("<iiii", head)
                self.rfile.read(length - 16)
                body = bson.encode(hello)
                if kind == _OP_QUERY:
                    reply, content = _OP_REPLY, struct.pack("<iqii", 0, 0, 0, 1) + body
                else:
                    reply, content = _OP_MSG, struct.pack("<iB", 0, 0) + body
                self.wfile.write(struct.pack("<iiii", 16 + len(content), 1, request, reply) + content)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
