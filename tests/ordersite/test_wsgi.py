"""The web server's application serves the admin's static files without a build step."""

from __future__ import annotations

from wsgiref.util import setup_testing_defaults

import pytest
from django.test import override_settings

from ordersite.wsgi import application


@pytest.mark.parametrize("debug", [True, False])
def test_the_admin_has_its_style(debug: bool) -> None:
    environ = {"PATH_INFO": "/static/admin/css/base.css"}
    setup_testing_defaults(environ)
    answered: dict[str, str] = {}

    with override_settings(DEBUG=debug):
        body = application(environ, lambda status, headers: answered.update(status=status))

    assert answered["status"].startswith("200")
    assert b"--primary" in b"".join(body)
