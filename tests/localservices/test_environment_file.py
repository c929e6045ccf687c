"""What `make run` remembers for every other terminal."""

from __future__ import annotations

from pathlib import Path

from localservices import environment_file
from localservices.environment_file import remembered_port

SETTINGS = {
    "MONGODB_URL": "mongodb://127.0.0.1:27018/?replicaSet=rs0&directConnection=true",
    "DJANGO_SECRET_KEY": "a=b-c_d",
}


def test_nothing_is_remembered_before_the_first_run(tmp_path: Path) -> None:
    assert environment_file.read(tmp_path / "services.env") == {}


def test_what_was_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "local" / "services.env"
    environment_file.write(SETTINGS, file)
    assert environment_file.read(file) == SETTINGS


def test_only_its_owner_may_read_the_secret_key(tmp_path: Path) -> None:
    file = tmp_path / "services.env"
    environment_file.write(SETTINGS, file)
    assert file.stat().st_mode & 0o077 == 0


def test_the_port_of_the_last_run_is_known() -> None:
    assert remembered_port(SETTINGS, "MONGODB_URL") == 27018
    assert remembered_port(SETTINGS, "AMQP_URL") is None
