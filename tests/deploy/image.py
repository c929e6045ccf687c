"""The image is built, all of compose.yaml runs in containers, and each comes back when it dies.

`make image-test` runs it; `make test` does not, as it takes minutes and needs podman and root.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.containers import FOLDER, ROOT, STOP_SECONDS, Pod, image, images, podman
from tests.polling import eventually

pytestmark = [pytest.mark.usefixtures("programs"), pytest.mark.timeout(900)]

STAND_INS = Path(__file__).parent / "stand_ins"
BUILD_SECONDS = 800
PULL_SECONDS = 300
START_SECONDS = 180
#: The base of the Dockerfile is Debian of this release, with its Python.
RELEASE = "trixie"
BASE_PACKAGES = "ca-certificates,python-is-python3,python3-venv"
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"

#: MongoDB's own shell, which compose.yaml does this with, is neither in Debian nor on PyPI.
REPLICA_SET = """
import pymongo
url = "mongodb://mongodb/?directConnection=true&serverSelectionTimeoutMS=1000"
with pymongo.MongoClient(url) as client:
    try:
        client.admin.command("replSetGetStatus")
    except pymongo.errors.OperationFailure:
        member = {"_id": 0, "host": "mongodb:27017"}
        client.admin.command("replSetInitiate", {"_id": "rs0", "members": [member]})
    assert client.admin.command("hello")["isWritablePrimary"]
"""

PLACE = ["--json", '{"userId": 101, "items": ["book", "pen"]}']


@pytest.fixture(scope="module")
def built(programs: None) -> None:
    """The image of the Dockerfile, and those that compose.yaml names beside it."""
    (base,) = {
        line.split()[1]
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if line.startswith("FROM")
    }
    require(f"docker.io/library/{base}", import_base)
    for name in ("mongo:8.0", "rabbitmq:4-management", "nginx:1.28"):
        require(f"docker.io/library/{name}", partial(build_stand_in, f"docker.io/library/{base}"))
    podman("build", "--network=host", "--tag=ordersite", ROOT, within_seconds=BUILD_SECONDS)


def require(name: str, make: partial[None]) -> None:
    """Pull an image, or make one in its place where no registry of images is reached."""
    if name in images():
        return
    try:
        podman("pull", "--quiet", name, within_seconds=PULL_SECONDS)
    except (AssertionError, subprocess.TimeoutExpired):
        make(name)


def import_base(name: str) -> None:
    """Debian and its Python, with where this machine has its packages from."""
    root = FOLDER / "base"
    shutil.rmtree(root, ignore_errors=True)
    script = ROOT / "localservices/make_debian.sh"
    subprocess.run([script, RELEASE, root, BASE_PACKAGES], check=True)
    shutil.copy(f"/{CERTIFICATES}", root / CERTIFICATES)
    (root / "etc/pip.conf").write_text(f"[global]\ncert = /{CERTIFICATES}\n")
    archive = FOLDER / "base.tar"
    subprocess.run(["tar", "--create", "--file", archive, "--directory", root, "."], check=True)
    podman("import", archive, name, within_seconds=BUILD_SECONDS)
    shutil.rmtree(root)
    archive.unlink()


def build_stand_in(base: str, name: str) -> None:
    context = Path(sysconfig.get_path("platlib"), "fiftyone/db/bin")
    target = name.rpartition("/")[2].partition(":")[0]
    podman(
        "build",
        "--network=host",
        f"--file={STAND_INS / 'Containerfile'}",
        f"--build-arg=base={base}",
        f"--target={target}",
        f"--tag={name}",
        context,
        within_seconds=BUILD_SECONDS,
    )


@pytest.fixture(scope="module")
def pod(built: None) -> Iterator[Pod]:
    """All services of compose.yaml, running."""
    pod = Pod(ROOT / "compose.yaml")
    pod.remove()
    pod.create()
    try:
        for name in ("mongodb", "rabbitmq"):
            pod.start(name)
        eventually(lambda: pod.run_python(REPLICA_SET) or True, within_seconds=START_SECONDS)
        eventually(lambda: pod.is_healthy("rabbitmq"), within_seconds=START_SECONDS)
        pod.run("prepare", within_seconds=START_SECONDS)
        for name in started(pod):
            pod.start(name)
        yield pod
    finally:
        pod.remove()


def started(pod: Pod) -> list[str]:
    """The services that `prepare` prepares for."""
    return [name for name in pod.services if name not in ("mongodb", "rabbitmq", "prepare")]


def is_done(pod: Pod, order_id: str) -> bool:
    return order(pod, f"/{order_id}")["status"] == "confirmed"


def order(pod: Pod, path: str, *options: str) -> dict[str, Any]:
    """What the API answers, asked through the proxy."""
    address = f"http://127.0.0.1:8080/orders{path}"
    return json.loads(pod.execute("proxy", "curl", "--silent", *options, address))


def test_every_container_is_healthy_and_an_order_is_done(pod: Pod) -> None:
    for name in started(pod):
        eventually(lambda name=name: pod.is_healthy(name), within_seconds=START_SECONDS)

    placed = order(pod, "", *PLACE)["order"]

    eventually(lambda: is_done(pod, placed["orderId"]), within_seconds=60)


def test_each_container_that_dies_comes_back(pod: Pod) -> None:
    for name in started(pod):
        pod.kill(name)
        eventually(lambda name=name: pod.has_started_again(name), within_seconds=START_SECONDS)
        eventually(lambda name=name: pod.is_healthy(name), within_seconds=START_SECONDS)

    placed = order(pod, "", *PLACE)["order"]

    eventually(lambda: is_done(pod, placed["orderId"]), within_seconds=60)


def test_each_ends_by_itself_when_it_is_asked(pod: Pod) -> None:
    killed = [name for name in started(pod) if pod.stop(name) == 137]

    assert killed == [], f"They did not end within {STOP_SECONDS} s."


def test_nothing_of_development_is_in_the_image(built: None) -> None:
    listed = podman(
        "run", "--rm", "--network=none", image({"image": "ordersite"}), "ls", "-A"
    ).split()

    assert {"manage.py", "ordersite"} <= {*listed}
    assert {"tests", "deploy", "localservices", ".git", ".env", ".local"}.isdisjoint(listed)
