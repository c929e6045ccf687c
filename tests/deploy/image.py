"""The image is built, all of a compose file runs in containers, and each comes back when it dies.

`make image-test` runs it; `make test` does not, as it takes minutes and needs podman and root.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.containers import FOLDER, ROOT, STOP_SECONDS, Pod, image, podman
from tests.deploy.images import build
from tests.polling import eventually

pytestmark = [pytest.mark.usefixtures("programs"), pytest.mark.timeout(900)]

START_SECONDS = 180
ORDER_SECONDS = 60
KILLED = 137

#: MongoDB's own shell, with which the compose files do this, is neither in Debian nor on PyPI.
REPLICA_SET = """
import sys, pymongo
from pathlib import Path
with pymongo.MongoClient(sys.argv[1], serverSelectionTimeoutMS=1000) as client:
    admin = client.admin
    if "setName" not in admin.command("hello"):
        member = {"_id": 0, "host": "mongodb:27017"}
        admin.command("replSetInitiate", {"_id": "rs0", "members": [member]})
    assert admin.command("hello")["isWritablePrimary"]
    for url in sys.argv[2:]:
        login = pymongo.uri_parser.parse_uri(Path(url).read_text().strip())
        admin.command("createUser", login["username"], pwd=login["password"], roles=["root"])
"""
TLS = "&tls=true&tlsCAFile=/run/secrets/authority.pem"


class Site:
    """A compose file's services, all running, and how a client reaches them."""

    def __init__(self, pod: Pod, address: str, mongodb: list[str]) -> None:
        self.pod = pod
        self.address = address
        self.mongodb = mongodb
        self.key = ""
        #: Without MongoDB's tools, which are neither in Debian nor on PyPI, there is no backup.
        self.names = [
            name
            for name in pod.services
            if name not in ("mongodb", "rabbitmq", "prepare", "backup")
        ]

    def start(self) -> None:
        self.pod.create()
        self.pod.start("mongodb")
        self.pod.start("rabbitmq")
        eventually(self.make_replica_set, within_seconds=START_SECONDS)
        eventually(lambda: self.pod.is_healthy("rabbitmq"), within_seconds=START_SECONDS)
        self.pod.run("prepare", within_seconds=START_SECONDS)
        self.manage("load_demo_products")
        key = ("api_keys", "create", "a test", "--shop", "--scope", "orders:place,orders:read")
        # Beside what it logs.
        self.key = re.findall(r'"key": "(.+)"', self.manage(*key, "--json"))[0]
        for name in self.names:
            self.pod.start(name)

    def make_replica_set(self) -> bool:
        command = ("python", "-c", REPLICA_SET, *self.mongodb)
        self.pod.run("prepare", *command, within_seconds=START_SECONDS)
        return True

    def manage(self, *arguments: str) -> str:
        command = ("python", "manage.py", *arguments)
        return self.pod.run("prepare", *command, within_seconds=START_SECONDS)

    def await_health(self, name: str) -> None:
        eventually(lambda: self.pod.is_healthy(name), within_seconds=START_SECONDS)

    def place_an_order_and_see_it_done(self) -> None:
        placed = self.ask("", "--json", '{"userId": 101, "items": ["book", "pen"]}')
        order_id = placed["order"]["orderId"]
        eventually(
            lambda: self.ask(f"/{order_id}")["status"] == "confirmed", within_seconds=ORDER_SECONDS
        )

    def ask(self, path: str, *options: str) -> dict[str, Any]:
        """What the API answers to a client of the proxy."""
        login = f"Authorization: Bearer {self.key}"
        curl = ("curl", "--silent", "--insecure", "--header", login, *options)
        return json.loads(self.pod.execute("proxy", *curl, f"{self.address}/orders{path}"))


@pytest.fixture(scope="module")
def built(programs: None) -> None:
    build()


@pytest.fixture(scope="module", params=["development", "production"])
def site(built: None, request: pytest.FixtureRequest) -> Iterator[Site]:
    site = development() if request.param == "development" else production()
    site.pod.remove()
    try:
        site.start()
        yield site
    finally:
        site.pod.remove()


def development() -> Site:
    pod = Pod(ROOT / "compose.yaml")
    return Site(pod, "http://127.0.0.1:8080", ["mongodb://mongodb/?directConnection=true"])


def production() -> Site:
    secrets = FOLDER / "secrets"
    shutil.rmtree(secrets, ignore_errors=True)
    subprocess.run([ROOT / "deploy/compose/make_secrets.sh", secrets], check=True)
    make_certificate_of_the_site(secrets)
    settings = {"ALLOWED_HOSTS": "127.0.0.1", "SITE_URL": "https://127.0.0.1"}
    pod = Pod(ROOT / "compose.production.yaml", SECRETS=str(secrets), **settings)
    mongodb = f"mongodb://mongodb/?directConnection=true{TLS}"
    return Site(pod, "https://127.0.0.1", [mongodb, "/run/secrets/mongodb-url"])


def make_certificate_of_the_site(folder: Path) -> None:
    key = ("-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-days", "2")
    files = ("-keyout", folder / "tls.key", "-out", folder / "tls.crt")
    subprocess.run(["openssl", "req", "-x509", *key, *files], check=True, capture_output=True)
    for name in ("tls.key", "tls.crt"):
        shutil.chown(folder / name, 101)


def test_every_container_is_healthy_and_an_order_is_done(site: Site) -> None:
    for name in site.names:
        site.await_health(name)

    site.place_an_order_and_see_it_done()


def test_each_container_that_dies_comes_back(site: Site) -> None:
    for name in site.names:
        site.pod.kill(name)
        eventually(lambda name=name: site.pod.has_started_again(name), within_seconds=START_SECONDS)
        site.await_health(name)

    site.place_an_order_and_see_it_done()


def test_each_ends_by_itself_when_it_is_asked(site: Site) -> None:
    killed = [name for name in site.names if site.pod.stop(name) == KILLED]

    assert killed == [], f"They did not end within {STOP_SECONDS} s."


def test_nothing_of_development_is_in_the_image(built: None) -> None:
    listing = ("--rm", "--network=none", image({"image": "ordersite"}), "ls", "-A")
    listed = podman("run", *listing).split()

    assert {"manage.py", "ordersite"} <= {*listed}
    assert {"tests", "deploy", "localservices", ".git", ".env", ".local"}.isdisjoint(listed)
