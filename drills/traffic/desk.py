"""People at the desk for failed messages: over HTTP with a session, and in a terminal."""

from __future__ import annotations

import json
from http.client import HTTPException
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

from drills.cluster.site import Site

ANSWER_SECONDS = 30
PASSWORD = "only-for-drills"

#: Runs in `manage.py shell`.
HIRE = """\
from django.contrib.auth.models import User
User.objects.create_superuser({operator!r}, password={password!r})
for trainee in {trainees!r}:
    User.objects.create_user(trainee, password={password!r}, is_staff=True)
"""


def hire(site: Site, operator: str, *trainees: str) -> None:
    """Make a user who may do everything, and some of the staff who may do nothing."""
    code = HIRE.format(operator=operator, trainees=trainees, password=PASSWORD)
    site.manage("shell", "-c", code).check_returncode()


class Person:
    """Someone with a browser; whoever has no name is not logged in."""

    def __init__(self, site: Site, name: str = "") -> None:
        self._url = f"http://127.0.0.1:{site.web_port}"
        self._cookies = CookieJar()
        self._browser = build_opener(HTTPCookieProcessor(self._cookies))
        if name:
            self._log_in(name)

    def post(self, path: str, body: dict[str, Any]) -> int | None:
        """Send JSON; returns the answer's status, None where no answer came."""
        content, headers = json.dumps(body).encode(), {"Content-Type": "application/json"}
        return self._post(path, content, headers | {"X-CSRFToken": self._token()})

    def _log_in(self, name: str) -> None:
        page = "/admin/login/"
        self._browser.open(self._url + page, timeout=ANSWER_SECONDS).close()
        form = {"username": name, "password": PASSWORD, "csrfmiddlewaretoken": self._token()}
        self._post(page, urlencode(form).encode(), {})

    def _post(self, path: str, content: bytes, headers: dict[str, str]) -> int | None:
        request = Request(self._url + path, content, headers, method="POST")
        try:
            with self._browser.open(request, timeout=ANSWER_SECONDS) as answer:
                return int(answer.status)
        except HTTPError as error:
            error.close()
            return error.code
        except (OSError, HTTPException):
            return None

    def _token(self) -> str:
        tokens = (each.value for each in self._cookies if each.name == "csrftoken")
        return next(tokens, None) or ""
