"""The image is built, all of a compose file runs in containers, and each comes back when it dies.

The same with the pods of deploy/kubernetes, beside the servers of compose.production.yaml.

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

from tests.deploy import pods
from tests.deploy.containers import FOLDER, ROOT, STOP_SECONDS, Pod, image, podman
from tests.deploy.images import build
from tests.deploy.test_kubernetes import PUBLIC
from tests.polling import eventually

pytestmark = [pytest.mark.usefixtures("programs"), pytest.mark.timeout(900)]

START_SECONDS = 180
ORDER_SECONDS = 60
KILLED = 137
#: Of the manifests.
HOST = PUBLIC["ALLOWED_HOSTS"]

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

    #: Which of them runs `manage.py`.
    manager = "prepare"

    def __init__(self, pod: Pod, address: str, mongodb: list[str]) -> None:
        self.pod = pod
        self.address = address
        self.mongodb = mongodb
        self.key = ""
        #: Without MongoDB's tools, which are neither in Debian nor on PyPI, there is no backup.
        self.names = [
            name
            for name in pod.services
            if name not in ("mongodb", "rabbitmq", "prepare", "backup", "administrator")
        ]

    def start(self) -> None:
        self.pod.create()
        self.pod.start("mongodb")
        self.pod.start("rabbitmq")
        eventually(self.make_replica_set, within_seconds=START_SECONDS)
        eventually(lambda: self.pod.is_healthy("rabbitmq"), within_seconds=START_SECONDS)
        self.make_logins()
        self.pod.run("prepare", within_seconds=START_SECONDS)
        self.manage("load_demo_products")
        key = ("api_keys", "create", "a test", "--shop", "--scope", "orders:place,orders:read")
        # Beside what it logs.
        self.key = re.findall(r'"key": "(.+)"', self.manage(*key, "--json"))[0]
        for name in self.names:
            self.pod.start(name)

    def make_replica_set(self) -> bool:
        command = ("python", "-c", REPLICA_SET, *self.mongodb)
        self.pod.run(self.manager, *command, within_seconds=START_SECONDS)
        return True

    def make_logins(self) -> None:
        """`prepare` does."""

    def manage(self, *arguments: str) -> str:
        command = ("python", "manage.py", *arguments)
        return self.pod.run(self.manager, *command, within_seconds=START_SECONDS)

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
        site = ("--resolve", f"{HOST}:443:127.0.0.1")
        curl = ("curl", "--silent", "--insecure", *site, "--header", login, *options)
        return json.loads(self.pod.execute("proxy", *curl, f"{self.address}/orders{path}"))


class Cluster(Site):
    """The pods, each with its own secrets; healthy where all of its probes find nothing."""

    manager = "administrator"

    def make_logins(self) -> None:
        """As docs/deploying.md has it, in the administrator's pod."""
        self.pod.start(self.manager)
        apply = ("python", "manage.py", "access", "apply", "--folder", "/tmp/logins")
        self.pod.execute(self.manager, *apply)
        for name in pods.LOGINS:
            login = "operator" if name == "prepare" else name
            text = self.pod.execute(self.manager, "cat", f"/tmp/logins/{login}.env")
            pods.write_secrets(f"ordersite-{name}", pods.logins_of(text))

    def await_health(self, name: str) -> None:
        service = self.pod.services[name]
        for probe in service["probes"]:
            asking, command = pods.probe_command(probe, service["ports"])
            eventually(
                lambda asking=asking, command=command: self.pod.answers(
                    name, asking or name, *command
                ),
                within_seconds=START_SECONDS,
            )


@pytest.fixture(scope="module")
def built(programs: None) -> None:
    build()


@pytest.fixture(scope="module", params=["development", "production", "cluster"])
def site(built: None, request: pytest.FixtureRequest) -> Iterator[Site]:
    site: Site = {"development": development, "production": production, "cluster": cluster}[
        request.param
    ]()
    site.pod.remove()
    try:
        site.start()
        yield site
    finally:
        site.pod.remove()


def development() -> Site:
    pod = Pod(ROOT / "compose.yaml", WEBHOOKS="true")
    return Site(pod, "http://127.0.0.1:8080", ["mongodb://mongodb/?directConnection=true"])


def production() -> Site:
    secrets = make_secrets()
    settings = {"ALLOWED_HOSTS": "127.0.0.1", "SITE_URL": "https://127.0.0.1"}
    pod = Pod(ROOT / "compose.production.yaml", SECRETS=str(secrets), WEBHOOKS="true", **settings)
    mongodb = f"mongodb://mongodb/?directConnection=true{TLS}"
    return Site(pod, "https://127.0.0.1", [mongodb, "/run/secrets/mongodb-url"])


def cluster() -> Site:
    secrets = make_secrets()
    shutil.rmtree(pods.SECRETS, ignore_errors=True)
    key = (secrets / "django-secret-key").read_text()
    authority = (secrets / "authority.pem").read_text()
    pods.write_secrets("ordersite", {"DJANGO_SECRET_KEY": key, "authority.pem": authority})
    urls = {"AMQP_URL": "amqp-url", "MONGODB_URL": "mongodb-url"}
    pods.write_secrets(
        "ordersite-administrator",
        {name: in_a_pod((secrets / file).read_text()) for name, file in urls.items()},
    )
    names = {"ALLOWED_HOSTS": HOST, "SITE_URL": f"https://{HOST}"}
    pod = Pod(
        ROOT / "compose.production.yaml",
        pods.services(secrets),
        SECRETS=str(secrets),
        WEBHOOKS="true",
        **names,
    )
    mongodb = f"mongodb://mongodb/?directConnection=true{in_a_pod(TLS)}"
    return Cluster(pod, f"https://{HOST}", [mongodb, "/run/secrets/ordersite/MONGODB_URL"])


def in_a_pod(text: str) -> str:
    return text.replace("/run/secrets/authority.pem", "/run/secrets/ordersite/authority.pem")


def make_secrets() -> Path:
    """Those of the servers and of the site, anew."""
    secrets = FOLDER / "secrets"
    shutil.rmtree(secrets, ignore_errors=True)
    subprocess.run([ROOT / "deploy/compose/make_secrets.sh", secrets], check=True)
    make_certificate_of_the_site(secrets)
    return secrets


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
