"""compose.production.yaml: the same processes, with TLS, own users, secrets in files, backups."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from localservices.pipeline import procfile
from tests.deploy.test_compose import LINES, PRODUCTION, ROOT, SERVICES

FILE = yaml.safe_load((ROOT / "compose.production.yaml").read_text())
#: Beside the secrets that the script makes: the site's own certificate.
OF_THE_OPERATOR = {"tls.crt", "tls.key"}


@pytest.mark.parametrize("name", sorted(procfile()))
def test_it_runs_what_development_runs(name: str) -> None:
    for key in ("image", "command"):
        assert PRODUCTION[name].get(key) == SERVICES[name].get(key)


def test_its_servers_are_those_of_development() -> None:
    for name in ("mongodb", "rabbitmq", "proxy"):
        assert PRODUCTION[name]["image"] == SERVICES[name]["image"]
    parameters = [each for each in SERVICES["mongodb"]["command"] if "setParameter" in each]
    assert set(parameters) <= set(PRODUCTION["mongodb"]["command"])


@pytest.mark.parametrize("name", sorted(LINES))
def test_each_process_has_its_own_login_alone(name: str) -> None:
    (login,) = [each for each in PRODUCTION[name]["volumes"] if isinstance(each, dict)]

    assert login["source"].endswith(f"/logins/{name}.env")
    assert login["target"] == "/app/.local/services.env"
    # Docker would make a folder of a file that is not there yet.
    assert login["bind"] == {"create_host_path": False}
    assert PRODUCTION[name]["secrets"] == ["django-secret-key", "authority.pem"]


def test_no_setting_is_for_development_and_no_secret_stands_in_it() -> None:
    for name in ("prepare", *procfile()):
        environment: dict[str, Any] = PRODUCTION[name]["environment"]
        assert "DJANGO_DEBUG" not in environment
        assert environment.keys().isdisjoint({"DJANGO_SECRET_KEY", "MONGODB_URL", "AMQP_URL"})
    text = (ROOT / "compose.production.yaml").read_text()
    assert re.findall(r"guest|known-to-all|load_demo|ensure_admin", text) == []


def test_only_the_proxy_is_open_and_it_has_the_limits_and_tls() -> None:
    assert [name for name, service in PRODUCTION.items() if "ports" in service] == ["proxy"]
    mounts = dict(each.split(":")[:2] for each in PRODUCTION["proxy"]["volumes"] if ":" in each)

    assert mounts == {
        "./deploy/proxy/nginx.conf": "/etc/ordersite/nginx.conf",
        "./deploy/proxy/site.conf": "/etc/ordersite/site.conf",
        "./deploy/proxy/listen-tls.conf": "/etc/ordersite/listen.conf",
    }
    served = (ROOT / "deploy/proxy/listen-tls.conf").read_text()
    for secret in PRODUCTION["proxy"]["secrets"]:
        assert f" {secret['target']};" in served


def test_neither_server_is_reached_without_tls() -> None:
    assert "--tlsMode=requireTLS" in PRODUCTION["mongodb"]["command"]
    assert "listeners.tcp = none" in (ROOT / "deploy/compose/rabbitmq.conf").read_text()


def test_the_script_makes_each_secret_for_its_reader_alone(programs: None, tmp_path: Path) -> None:
    chown = tmp_path / "programs" / "chown"
    chown.parent.mkdir()
    chown.write_text("#!/bin/sh\n")
    chown.chmod(0o755)
    environment = {**os.environ, "PATH": f"{chown.parent}:{os.environ['PATH']}"}
    script = [ROOT / "deploy/compose/make_secrets.sh", tmp_path / "secrets"]

    subprocess.run(script, env=environment, check=True)

    files = {each.name: each for each in (tmp_path / "secrets").iterdir()}
    assert FILE["secrets"].keys() - OF_THE_OPERATOR <= files.keys()
    assert [
        name
        for name, file in files.items()
        if stat.S_IMODE(file.stat().st_mode) & 0o077 and name != "authority.pem"
    ] == []
    assert len(files["django-secret-key"].read_text().strip()) >= 50
    # What runs all the time has a login that can do nothing but back up.
    backup = files["mongodb-backup-password"].read_text().strip()
    assert files["mongodump.yaml"].read_text().startswith(f"uri: mongodb://backup:{backup}@mongodb")
    assert files["mongodb-password"].read_text().strip() not in files["mongodump.yaml"].read_text()
    again = subprocess.run(script, env=environment, capture_output=True, text=True)
    assert again.returncode == 1
    assert "has secrets already" in again.stderr


def test_the_backup_s_user_may_do_nothing_else() -> None:
    made = PRODUCTION["mongodb"]["healthcheck"]["test"][-1]

    assert (
        'createUser({user: "backup", pwd: read("mongodb-backup-password"), roles: ["backup"]})'
        in made
    )
    assert "mongodb-backup-password" in PRODUCTION["mongodb"]["secrets"]
    assert PRODUCTION["backup"]["secrets"] == ["authority.pem", "mongodump.yaml"]


@pytest.mark.parametrize("works", [True, False])
def test_a_backup_has_its_name_once_it_is_complete(
    programs: None, tmp_path: Path, works: bool
) -> None:
    (tmp_path / "old.archive").touch()
    just_over_14_days_ago = time.time() - 14 * 86_400 - 60
    os.utime(tmp_path / "old.archive", (just_over_14_days_ago,) * 2)
    script = (ROOT / "deploy/compose/backup.sh").read_text().replace("/backups", str(tmp_path))
    # It ends where it would pause.
    stand_ins = f"""
        mongodump() {{ echo >"${{4#*=}}"; {"true" if works else "false"}; }}
        sleep() {{ kill $$; }}
    """

    subprocess.run(["bash", "-c", stand_ins + script])

    archives = [each.suffix for each in tmp_path.iterdir() if each.name != "old.archive"]
    assert archives == [".archive" if works else ".new"]
    assert (tmp_path / "old.archive").exists() is not works
