"""MongoDB and RabbitMQ of `make run`: one that dies is started again."""

from __future__ import annotations

import signal
from types import SimpleNamespace
from typing import Any

import pytest

from localservices.errors import ServiceFailed
from localservices.keeper import Keeper


class Pretended:
    """A service that ends when a test says so."""

    name = "MongoDB"
    on_move: Any = print

    def __init__(self) -> None:
        self.process = SimpleNamespace(exit_code=None)
        self.starts = 0
        self.is_broken = False

    def kill(self) -> None:
        pass

    def start(self) -> None:
        if self.is_broken:
            raise ServiceFailed("MongoDB ended with exit code 14 while starting")
        self.starts += 1
        self.process.exit_code = None


@pytest.fixture
def service() -> Pretended:
    return Pretended()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def keeper(service: Any, said: list[str]) -> Keeper:
    made = Keeper(said.append)
    made.keep(service)
    return made


def test_one_that_runs_is_left_alone(keeper: Keeper, service: Pretended, said: list[str]) -> None:
    keeper.check()

    assert (service.starts, said) == (0, [])


@pytest.mark.parametrize("exit_code", [-signal.SIGKILL, -signal.SIGSEGV, 1, 14])
def test_one_that_dies_is_started_again_each_time(
    keeper: Keeper, service: Pretended, said: list[str], exit_code: int
) -> None:
    for _ in range(2):
        service.process.exit_code = exit_code
        keeper.check()
        keeper.check()

    assert service.starts == 2
    assert said == [f"MongoDB ended with exit code {exit_code}. It is started again."] * 2


@pytest.mark.parametrize("exit_code", [0, -signal.SIGTERM, -signal.SIGINT])
def test_one_that_somebody_stops_stays_so_and_is_told_once(
    keeper: Keeper, service: Pretended, said: list[str], exit_code: int
) -> None:
    service.process.exit_code = exit_code
    keeper.check()
    keeper.check()

    assert service.starts == 0
    [told] = said
    assert "MongoDB was stopped, and stays so" in told


def test_it_keeps_its_ports_which_the_processes_know(keeper: Keeper, service: Pretended) -> None:
    assert service.on_move is None


def test_one_that_does_not_start_any_more_ends_all(keeper: Keeper, service: Pretended) -> None:
    service.is_broken = True
    service.process.exit_code = 1

    with pytest.raises(ServiceFailed, match="while starting"):
        keeper.check()
