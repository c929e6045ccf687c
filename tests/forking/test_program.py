"""Which program a line of the Procfile starts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from marshmallow import fields

from localservices.pipeline import is_on, process_environment, procfile
from ordersite.environment import env
from ordersite.forking.program import program_of
from ordersite.forking.starts import commands, own_settings

BIN = Path(sys.executable).parent
ENVIRONMENT = {"PATH": f"{BIN}:/usr/bin:/bin"}


@pytest.mark.parametrize("name", sorted(procfile()))
def test_every_process_of_the_procfile_can_be_forked(name: str) -> None:
    assert program_of(procfile()[name], process_environment())


def test_the_words_of_a_command_are_its_arguments() -> None:
    program = program_of("python manage.py tail 'order placed'", ENVIRONMENT)
    assert program == (Path("manage.py"), ["manage.py", "tail", "order placed"], 0)


def test_a_programs_priority_is_lowered_as_nice_does_it() -> None:
    program = program_of("nice -n 9 celery -A celery_app worker", ENVIRONMENT)
    celery = str(BIN / "celery")
    assert program == (BIN / "celery", [celery, "-A", "celery_app", "worker"], 9)


@pytest.mark.parametrize(
    ("environment", "port"), [({}, "8000"), ({"WEB_PORT": "81"}, "81"), ({"WEB_PORT": ""}, "8000")]
)
def test_variables_have_their_values(environment: dict[str, str], port: str) -> None:
    line = "python manage.py serve --port ${WEB_PORT:-8000}"
    program = program_of(line, {**ENVIRONMENT, **environment})
    assert program
    assert program.words[-1] == port


@pytest.mark.parametrize(
    "command",
    [
        "sleep 1000",
        "sh -c 'exit 3'",
        "python -m runtime.health web",
        "python manage.py relay | cat",
        "python manage.py relay > log",
        "python manage.py serve --port $(free_port)",
        "no_such_program",
        "ruff check",
    ],
)
def test_everything_else_is_left_to_a_shell(command: str) -> None:
    assert program_of(command, ENVIRONMENT) is None


def test_another_python_is_not_this_one(tmp_path: Path) -> None:
    (tmp_path / "python").symlink_to(sys.executable)
    assert program_of("python manage.py relay", {"PATH": str(tmp_path)}) is None


def test_up_starts_what_make_run_starts() -> None:
    assert commands() == procfile()


@pytest.mark.parametrize("value", sorted(map(str, fields.Boolean.truthy | fields.Boolean.falsy)))
def test_both_read_a_setting_that_turns_a_service_on_alike(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the deliverer runs and its worker does not, or the other way round."""
    monkeypatch.setenv("WEBHOOKS", value)

    assert is_on("webhooks") is env.bool("WEBHOOKS")


def test_a_file_of_the_folder_is_for_one_process(tmp_path: Path) -> None:
    (tmp_path / "billing.env").write_text("# its own\nAMQP_URL=amqp://billing:a#b$c@host//\n")
    assert own_settings("billing", tmp_path) == {"AMQP_URL": "amqp://billing:a#b$c@host//"}
    assert own_settings("relay", tmp_path) == {}


def test_each_process_has_a_heartbeat_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARTBEAT_FILE", "/tmp/heartbeat")
    assert own_settings("relay", None) == {"HEARTBEAT_FILE": "/tmp/heartbeat.relay"}
