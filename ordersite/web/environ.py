"""A request of ASGI as WSGI describes it: https://peps.python.org/pep-3333/#environ-variables"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from ordersite.web.body import Event

#: These two have no `HTTP_` before their name.
OF_THE_BODY = {"content-length": "CONTENT_LENGTH", "content-type": "CONTENT_TYPE"}


def environ_of(scope: Event, body: Any) -> dict[str, Any]:
    """What a WSGI application is given; `body` is a file."""
    # Text of a client is UTF-8, and WSGI has its bytes as Latin-1.
    script_name = native(scope.get("root_path", ""))
    server = scope.get("server") or ("localhost", 80)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": script_name,
        "PATH_INFO": native(scope["path"]).removeprefix(script_name),
        # A client may write bytes in its query that are not ASCII.
        "QUERY_STRING": scope["query_string"].decode("latin1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 0),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if client := scope.get("client"):
        environ["REMOTE_ADDR"] = client[0]
    return environ | fields_of(scope["headers"])


def native(text: str) -> str:
    return text.encode().decode("latin1")


def fields_of(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Each field of the head once, with all of its values. The server bounds how many there are."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(key_of(name.decode("latin1")), []).append(value.decode("latin1"))
    return {key: ",".join(each) for key, each in values.items()}


def key_of(name: str) -> str:
    return OF_THE_BODY.get(name) or f"HTTP_{name.upper().replace('-', '_')}"
