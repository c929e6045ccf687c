"""An issuer of access tokens: its keys behind an address, and tokens signed with them."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

ISSUER = "https://login.example.com/"
AUDIENCE = "https://orders.example.com"


class Issuer:
    """Its server answers with the public keys as they are at the moment."""

    def __init__(self) -> None:
        self.private: dict[str, Any] = {}
        self.public: list[dict[str, Any]] = []
        #: How often it was asked.
        self.asked = 0
        self.is_away = False
        #: It answers so slowly; 0: all at once.
        self.bytes_a_piece, self.seconds_a_piece = 0, 0.0
        self.url = ""

    def add_key(self, key_id: str, kind: str = "RSA") -> None:
        if kind == "RSA":
            self.private[key_id] = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            found = RSAAlgorithm.to_jwk(self.private[key_id].public_key(), as_dict=True)
        else:
            self.private[key_id] = ec.generate_private_key(ec.SECP256R1())
            found = ECAlgorithm.to_jwk(self.private[key_id].public_key(), as_dict=True)
        self.public.append({**found, "kid": key_id, "use": "sig"})

    def remove_key(self, key_id: str) -> None:
        self.public = [each for each in self.public if each["kid"] != key_id]

    def token(
        self, key_id: str = "first", header: dict[str, Any] | None = None, **changes: Any
    ) -> str:
        """A good token, but for the changes; a claim that is None is left out."""
        kind = type(self.private[key_id]).__name__
        signed = {"kid": key_id, "typ": "at+jwt"} | (header or {})
        return jwt.encode(
            {name: value for name, value in (claims() | changes).items() if value is not None},
            self.private[key_id],
            algorithm="RS256" if kind.startswith("RSA") else "ES256",
            headers=signed,
        )


def claims() -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "someone",
        "iat": now,
        "exp": now + 600,
        "scope": "openid orders:place orders:read",
        "user_id": 101,
        "client_id": "app",
    }


def unsigned(header: dict[str, Any], body: dict[str, Any] | bytes, signature: str = "") -> str:
    """Whatever one may write without a key."""
    parts = (json.dumps(header).encode(), body if isinstance(body, bytes) else encoded(body))
    return ".".join([*(urlsafe_b64encode(each).rstrip(b"=").decode() for each in parts), signature])


def encoded(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


def pieces(answer: bytes, length: int) -> list[bytes]:
    if not length:
        return [answer]
    return [answer[at : at + length] for at in range(0, len(answer), length)]


@contextmanager
def issuer() -> Iterator[Issuer]:
    """One with an RSA key `first`, listening on loopback."""
    found = Issuer()
    found.add_key("first")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked += 1
            answer = encoded({"keys": found.public})
            self.send_response(503 if found.is_away else 200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            # Who waits no longer hangs up.
            with suppress(OSError):
                for piece in pieces(answer, found.bytes_a_piece):
                    time.sleep(found.seconds_a_piece)
                    self.wfile.write(piece)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        found.url = f"http://127.0.0.1:{server.server_port}/jwks.json"
        yield found
        server.shutdown()
