"""The unit runs the Procfile's lines, with few rights."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from localservices.pipeline import lines_of, procfile
from messaging.service import services
from ordersite import settings
from ordersite.forking.program import with_variables

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "systemd"
LINES = {**procfile(), **lines_of(ROOT / "Procfile.webhooks")}
DAY_SECONDS = 86_400
UNIT = (FOLDER / "ordersite@.service").read_text()


def values(name: str, unit: str = UNIT) -> list[str]:
    """What the unit says of one directive, line by line."""
    return [
        line.removeprefix(f"{name}=") for line in unit.splitlines() if line.startswith(f"{name}=")
    ]


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("name", sorted(LINES))
def test_it_runs_the_line_of_the_procfile(name: str, tmp_path: Path) -> None:
    for program in ("python", "celery", "nice"):
        (tmp_path / program).write_text('#!/bin/sh\necho "$(basename "$0") $*"\n')
        (tmp_path / program).chmod(0o755)
    # systemd takes quotes as a shell does, puts the instance's name for %i, and $ for $$.
    command = shlex.split(values("ExecStart")[0].replace("%i", name).replace("$$", "$"))

    ran = subprocess.run(
        command,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    as_told = with_variables(LINES[name], {})
    assert ran.stdout.strip() == as_told
    assert "$" not in as_told


def test_an_operator_has_the_settings_of_the_units(programs: None, tmp_path: Path) -> None:
    """A value is not a shell's: the URL of MongoDB has & in it."""
    script = tmp_path / "deploy" / "systemd" / "manage.sh"
    script.parent.mkdir(parents=True)
    shutil.copy(FOLDER / "manage.sh", script)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$MONGODB_URL" "$AMQP_URL" "$SITE_URL" "$@"\n')
    python.chmod(0o755)
    (tmp_path / "settings.env").write_text("# Names\nSITE_URL=https://orders.example.com\n")
    login = "MONGODB_URL=mongodb://u:p@m/?replicaSet=rs0&authSource=admin\nAMQP_URL=amqp://o\n"
    (tmp_path / "operator.env").write_text(login)
    given = {"PATH": "/usr/bin:/bin", "SETTINGS": str(tmp_path), "AMQP_URL": "amqp://administrator"}

    ran = subprocess.run(
        [script, "access", "apply"], env=given, capture_output=True, text=True, check=True
    )

    assert ran.stdout.split() == [
        "mongodb://u:p@m/?replicaSet=rs0&authSource=admin",
        "amqp://administrator",
        "https://orders.example.com",
        *("manage.py", "access", "apply"),
    ]


@pytest.mark.parametrize("works", [True, False])
def test_a_backup_has_its_name_once_it_is_complete(
    programs: None, tmp_path: Path, works: bool
) -> None:
    unit = (FOLDER / "ordersite-backup.service").read_text()
    (archives, mongodump) = (tmp_path / "archives", tmp_path / "programs" / "mongodump")
    archives.mkdir()
    (archives / "old.archive").touch()
    (archives / "newer.archive").touch()
    now = time.time()
    os.utime(archives / "old.archive", (now - 14 * DAY_SECONDS - 60,) * 2)
    os.utime(archives / "newer.archive", (now - 13 * DAY_SECONDS - 60,) * 2)
    mongodump.parent.mkdir()
    mongodump.write_text(f'#!/bin/sh\necho >"${{4#*=}}"\n{"true" if works else "false"}\n')
    mongodump.chmod(0o755)
    # systemd puts $ for $$, and % for %%.
    command = values("ExecStart", unit)[0].replace("$$", "$").replace("%%", "%")
    command = command.replace("/var/backups/ordersite", str(archives))

    ran = subprocess.run(
        shlex.split(command), env={"PATH": f"{mongodump.parent}:/usr/bin:/bin"}, check=False
    )

    assert (ran.returncode == 0) is works
    kept = {"old.archive", "newer.archive"}
    made = [each.suffix for each in archives.iterdir() if each.name not in kept]
    assert made == [".archive" if works else ".new"]
    assert (archives / "old.archive").exists() is not works
    assert (archives / "newer.archive").exists()


def test_a_backup_is_tried_again_and_may_write_its_archives_alone() -> None:
    unit = (FOLDER / "ordersite-backup.service").read_text()

    # A unit that would be tried for ever is never among those that failed.
    (attempts, pause_seconds) = (
        int(values(name, unit)[0]) for name in ("StartLimitBurst", "RestartSec")
    )
    assert (values("Restart", unit), values("StartLimitIntervalSec", unit)) == (
        ["on-failure"],
        ["20h"],
    )
    assert attempts * pause_seconds < 20 * 3600
    assert values("ProtectSystem", unit) == ["strict"]
    assert values("ReadWritePaths", unit) == ["/var/backups/ordersite"]
    assert values("UMask", unit) == ["0077"]


def test_all_processes_belong_to_the_target() -> None:
    (wanted,) = values("Wants", (FOLDER / "ordersite.target").read_text())

    assert set(wanted.split()) == {f"ordersite@{name}.service" for name in procfile()}
    assert set(services()) <= procfile().keys()


def test_a_worker_has_time_to_finish() -> None:
    assert int(values("TimeoutStopSec")[0]) > settings.TASK_TIME_LIMIT_SECONDS
    assert values("KillMode") == ["mixed"]


def test_nothing_keeps_it_from_being_started_again() -> None:
    """By default systemd gives up after five starts within ten seconds."""
    assert values("Restart") == ["always"]
    assert values("StartLimitIntervalSec") == ["0"]


def test_what_web_writes_for_a_while_is_not_in_memory() -> None:
    """An import has up to 256 MiB, several at a time; Debian 13 keeps /tmp in memory."""
    assert "TMPDIR=/var/tmp" in values("Environment")
    # Its own one, which goes with the process, as that of /tmp does.
    assert values("PrivateTmp") == ["yes"]
    page = (ROOT / "docs/deploying.md").read_text()
    # Not /var/tmp: Debian 13 deletes there what was not used for 30 days, nginx's folders among it.
    assert "s#/tmp/#/var/lib/nginx/#' /etc/nginx/nginx.conf" in page


def test_it_may_do_little() -> None:
    assert values("User") == ["ordersite"]
    for name in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices"):
        assert values(name) == ["yes"]
    assert values("ProtectSystem") == ["strict"]
    assert values("SystemCallFilter") == ["@system-service"]
    assert values("CapabilityBoundingSet") == [""]
