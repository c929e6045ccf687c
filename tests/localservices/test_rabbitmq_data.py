"""Data that the installed RabbitMQ cannot read are told of before it ends over them."""

from __future__ import annotations

from pathlib import Path

import pytest

from localservices import rabbitmq
from localservices.errors import ServiceFailed
from localservices.rabbitmq_data import cannot_read, installed_version

BEFORE = "[maintenance_mode_status,quorum_queue,\n stream_queue,user_limits]."
SINCE = "[maintenance_mode_status,message_containers,quorum_queue]."


@pytest.mark.parametrize(
    ("flags", "version", "can"),
    [
        (BEFORE, (3, 10, 8), True),
        (BEFORE, (3, 13, 7), True),
        (BEFORE, (4, 0, 5), False),
        (SINCE, (4, 0, 5), True),
        (SINCE, (4, 3, 6), True),
        (BEFORE, (), True),
    ],
)
def test_4_reads_what_3_13_has_prepared(
    tmp_path: Path, flags: str, version: tuple[int, ...], can: bool
) -> None:
    (tmp_path / "ordersite@localhost-feature_flags").write_text(flags)

    assert (cannot_read(tmp_path, version) == "") is can


def test_a_new_folder_is_read_by_any(tmp_path: Path) -> None:
    assert cannot_read(tmp_path / "missing", (4, 0, 5)) == ""


def test_the_version_is_in_the_program_s_path(tmp_path: Path) -> None:
    program = tmp_path / "lib" / "rabbitmq_server-4.0.5" / "sbin" / "rabbitmq-server"
    program.parent.mkdir(parents=True)
    program.touch()
    (tmp_path / "rabbitmq-server").symlink_to(program)

    assert installed_version(tmp_path / "rabbitmq-server") == (4, 0, 5)
    assert installed_version(tmp_path) == ()


def test_the_start_is_refused_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mnesia").mkdir()
    (tmp_path / "mnesia" / "ordersite@localhost-feature_flags").write_text(BEFORE)
    monkeypatch.setattr(rabbitmq, "rabbitmq_server", lambda: Path("rabbitmq-server"))
    monkeypatch.setattr(rabbitmq, "installed_version", lambda _: (4, 0, 5))

    with pytest.raises(ServiceFailed, match=r"4\.0\.5 cannot read them.*docs/upgrading\.md"):
        rabbitmq.RabbitMQ(tmp_path).launch()
