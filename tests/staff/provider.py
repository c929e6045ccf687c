"""An OpenID Connect provider of the tests, which says whatever a test has it say."""

from __future__ import annotations

import json
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT = "ordersite"
KEY_ID = "1"


class Provider(HTTPServer):
    """Answers at `/token` and `/keys`; `claims` are what the next ID token says."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.signs_with = self.key
        self.claims: dict[str, Any] = {}
        self.status = 200
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(provider.status, {"id_token": provider.token(), "access_token": "a"})

            def do_GET(self) -> None:
                self.answer(200, provider.keys())

            def answer(self, status: int, content: object) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(content).encode())

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def settings(self) -> dict[str, Any]:
        return {
            "OIDC_ISSUER": self.url,
            "OIDC_RP_CLIENT_ID": CLIENT,
            "OIDC_RP_CLIENT_SECRET": "secret",
            "OIDC_OP_AUTHORIZATION_ENDPOINT": f"{self.url}/authorize",
            "OIDC_OP_TOKEN_ENDPOINT": f"{self.url}/token",
            "OIDC_OP_JWKS_ENDPOINT": f"{self.url}/keys",
            "OIDC_OP_USER_ENDPOINT": self.url,
            "OIDC_ROLES": {"shop-ops": "operator", "it": "administrator"},
            "ROOT_URLCONF": "tests.staff.urls",
            "AUTHENTICATION_BACKENDS": [
                "django.contrib.auth.backends.ModelBackend",
                "ordersite.staff.sign_on.SignOn",
            ],
        }

    def token(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "42",
            "iat": now,
            "exp": now + 60,
            **self.claims,
        }
        told = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(told, self.signs_with, "RS256", headers={"kid": KEY_ID})

    def keys(self) -> dict[str, Any]:
        key = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**key, "kid": KEY_ID, "alg": "RS256", "use": "sig"}]}

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
