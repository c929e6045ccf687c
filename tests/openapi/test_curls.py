"""Each `curl` of the documentation is a request that the API takes as it is written. In memory."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.urls import resolve

from ordersite.openapi.document import media_types
from ordersite.openapi.routes import routes
from ordersite.web.known_parameters import NoParameters
from runtime.requests import query_string
from runtime.requests.operation import JSON
from tests.test_docs import PAGES, ROOT

#: Where the site is in them.
SITE = ("localhost:8000", "127.0.0.1:8000", "orders.example.com")
#: With the lines that go on behind a backslash.
COMMAND = re.compile(r"^ *curl (?:.*\\\n)*.*$", re.MULTILINE)
VALUED = {"-X", "-H", "-d", "-u", "--data-binary"}


class Curl(NamedTuple):
    page: Path
    command: str

    @property
    def words(self) -> list[str]:
        # Behind two blanks and a `#` is a remark.
        return shlex.split(re.sub(r"  +#.*", "", self.command.replace("\\\n", " ")))

    @property
    def address(self) -> Any:
        values = {index + 1 for index, each in enumerate(self.words) if each in VALUED}
        [url] = [
            each
            for index, each in enumerate(self.words)
            if index and index not in values and not each.startswith("-")
        ]
        return urlsplit(url if "://" in url else f"http://{url}")

    def values(self, option: str) -> list[str]:
        words = self.words
        return [words[i + 1] for i, each in enumerate(words) if each == option]

    @property
    def data(self) -> str | None:
        return next(iter([*self.values("-d"), *self.values("--data-binary")]), None)

    @property
    def method(self) -> str:
        return next(iter(self.values("-X")), "GET" if self.data is None else "POST")


def curls() -> Iterator[Curl]:
    """Those that ask the site."""
    for page in PAGES:
        for found in COMMAND.finditer(page.read_text()):
            curl = Curl(page, found[0].strip())
            if "$RABBITMQ" not in curl.command and curl.address.netloc in SITE:
                yield curl


CURLS = list(curls())


def test_there_are_some() -> None:
    assert len(CURLS) > 12


@pytest.mark.parametrize(
    "curl", CURLS, ids=[f"{each.page.relative_to(ROOT)}: {each.command[:60]}" for each in CURLS]
)
def test_it_is_taken_as_it_is_written(curl: Curl) -> None:
    match = resolve(curl.address.path.replace("$ORDER_ID", "0" * 24))
    [route] = [
        each
        for each in routes()
        if each.address.pattern == match.route and each.method == curl.method
    ]
    said = route.operation

    query_string.read(dict(parse_qsl(curl.address.query)), said.query or NoParameters, "", {})
    sent = dict(each.split(": ", 1) for each in curl.values("-H"))
    if said.files:
        assert sent["Content-Type"] in media_types(route)
    elif curl.data is None:
        assert said.body is None or said.body.is_optional
    else:
        assert said.body is not None
        assert sent["Content-Type"] == JSON
        said.body.decode(curl.data.encode())
    known = {"Authorization", "Content-Type", *(each.name for each in said.headers)}
    assert set(sent) <= known
