"""The image of the Dockerfile, and those that the compose files name beside it."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from functools import partial
from pathlib import Path

import yaml

from tests.deploy.containers import FOLDER, ROOT, images, podman

STAND_INS = Path(__file__).parent / "stand_ins"
BUILD_SECONDS = 800
PULL_SECONDS = 300
#: The base of the Dockerfile is Debian of this release, with its Python.
RELEASE = "trixie"
BASE_PACKAGES = "ca-certificates,python-is-python3,python3-venv"
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"


def build() -> None:
    """Build what must be built, and pull the others where a registry of images is reached."""
    (base,) = {
        line.split()[1]
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if line.startswith("FROM")
    }
    require(f"docker.io/library/{base}", import_base)
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    for name in sorted({each["image"] for each in compose.values()} - {"ordersite"}):
        require(f"docker.io/library/{name}", partial(build_stand_in, f"docker.io/library/{base}"))
    podman("build", "--network=host", "--tag=ordersite", ROOT, within_seconds=BUILD_SECONDS)


def require(name: str, make: Callable[[str], None]) -> None:
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
