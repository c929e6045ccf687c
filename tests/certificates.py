"""A certificate authority of our own, and a certificate for a server on loopback."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM."""

    authority: Path
    server: Path
    server_key: Path


def make_certificates(folder: Path) -> Certificates:
    """Make them in the folder with OpenSSL, which signs the server for `localhost`."""
    folder.mkdir(parents=True, exist_ok=True)
    authority, authority_key = folder / "authority.pem", folder / "authority.key"
    server, server_key = folder / "server.pem", folder / "server.key"
    openssl("-subj", "/CN=tests", "-keyout", authority_key, "-out", authority)
    openssl(
        *("-subj", "/CN=localhost", "-keyout", server_key, "-out", server),
        *("-CA", authority, "-CAkey", authority_key),
        *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        *("-addext", "basicConstraints=CA:FALSE"),
    )
    return Certificates(authority, server, server_key)


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", "req", "-x509", *KEY, *arguments], check=True, capture_output=True)
