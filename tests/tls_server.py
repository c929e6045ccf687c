"""A server that shakes hands over TLS, and then hangs up."""

from __future__ import annotations

import socket
import ssl
import subprocess
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import NamedTuple, Self


class Certificate(NamedTuple):
    """One that signs itself, so that it is its own authority."""

    file: str
    key: str

    @classmethod
    def made_for(cls, name: str, folder: Path) -> Certificate:
        file, key = folder / "certificate.pem", folder / "key.pem"
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-nodes", "-days", "2"),
                *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
                *("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"),
                *("-keyout", key, "-out", file),
            ],
            check=True,
            capture_output=True,
        )
        return cls(str(file), str(key))


class TLSServer:
    """Listens on loopback while its block runs."""

    def __init__(self, certificate: Certificate) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.file, certificate.key)
        self._context.load_verify_locations(certificate.file)
        self._context.verify_mode = ssl.CERT_OPTIONAL
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.hand_shakes = 0
        #: Whether the last client showed a certificate.
        self.shown = False
        self._thread = Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone would not wake whoever waits for a client.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with suppress(OSError), client:
                    client.settimeout(2)
                    with self._context.wrap_socket(client, server_side=True) as talking:
                        # In TLS 1.3 the client's answer comes with its first bytes.
                        talking.recv(8)
                        self.hand_shakes += 1
                        self.shown = talking.getpeercert() is not None
