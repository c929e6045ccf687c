"""MONGODB_URL may name what a URL of the web may not: several hosts, IPv6 addresses among them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ordersite import mongodb_url, production_checks
from ordersite.rights.logins import Logins
from ordersite.rights.mongodb_users import with_login
from runtime.database_url import split


@pytest.mark.parametrize("hosts", ["one", "one,[::1]", "[::1]:27017,[::2]", "one:1,two:2"])
def test_any_number_of_hosts_is_a_url(hosts: str, tmp_path: Path) -> None:
    url = f"mongodb://a:b%40c@{hosts}/shop?replicaSet=rs0&appName=web"
    Logins(tmp_path).file("shop").write_text(f"MONGODB_URL={url}\n")

    mongodb_url.check(url)
    production_checks.mongodb_login(url)
    assert split(url).netloc == f"a:b%40c@{hosts}"
    assert (split(url).path, split(url).query) == ("/shop", "replicaSet=rs0&appName=web")
    assert "appName" not in mongodb_url.options(url)
    assert Logins(tmp_path).password("shop") == "b@c"
    assert with_login(url, "d", "e").startswith(f"mongodb://d:e@{hosts}/shop?replicaSet=rs0")


@pytest.mark.parametrize("text", ["", "one", "mongodb:", "mongodb://"])
def test_what_is_no_url_has_no_hosts(text: str) -> None:
    assert split(text).netloc == ""
