"""What these journeys share: the whole pipeline, running, with the demo products.

Its processes run until the last test of this folder: what needs a part of the pipeline alone has
its place beside this folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.db import connection

from localservices.pipeline import procfile
from localservices.ports import free_port
from localservices.process import Process
from tests.collector import Collector, running_collector
from tests.conftest import running_processes
from tests.emptying import empty_everything
from tests.journeys.api import Api
from tests.polling import eventually
from tests.processes import Processes

#: As `make run` starts them, apart from the scheduler.
BEHIND_THE_WEB = tuple(name for name in procfile() if name not in ("web", "scheduler"))


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The running pipeline."""

    processes: Processes
    #: By their names in the Procfile.
    by_name: dict[str, Process]
    api: Api
    #: Where each of them serves what it counts.
    metrics_ports: dict[str, int]

    def __getitem__(self, name: str) -> Process:
        return self.by_name[name]

    def restart(self, *names: str) -> None:
        """Start what was stopped, and wait until it works again."""
        for name in names:
            # Only what this start says tells that it is ready.
            self[name].log.unlink()
            self[name].start()
        self.processes.wait_for_workers([self[name] for name in names])


@pytest.fixture(scope="package")
def package_processes(
    services: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Processes]:
    """Starts processes once for all journeys, as that takes a while."""
    empty_everything()
    yield from running_processes(tmp_path_factory.mktemp("processes"))


@pytest.fixture(scope="package")
def collector() -> Iterator[Collector]:
    """Where the pipeline sends the traces of clients that record theirs."""
    with running_collector() as collector:
        yield collector


@pytest.fixture(scope="package")
def started(package_processes: Processes, collector: Collector) -> Pipeline:
    """The running pipeline, in whatever state the test before has left it."""
    traced = {**collector.settings, "OTEL_TRACES_SAMPLER": "parentbased_always_off"}
    ports = {name: free_port() for name in BEHIND_THE_WEB}
    by_name = {
        name: package_processes.run(name, procfile()[name], METRICS_PORT=str(port), **traced)
        for name, port in ports.items()
    }
    package_processes.wait_for_workers([*by_name.values()])
    url = package_processes.start_web(**traced)
    return Pipeline(package_processes, by_name, Api(url), ports)


@pytest.fixture
def pipeline(clean: None, started: Pipeline) -> Iterator[Pipeline]:
    """The pipeline with the demo products, no orders, and nothing in its queues.

    It must be complete after the test: a journey that stops a part starts it again. What is still
    on its way then would fail in the next test, whose database does not know it.
    """
    load_products()
    yield started
    ended = [name for name, process in started.by_name.items() if not process.running]
    assert not ended, f"{ended} ended"
    eventually(nothing_in_flight)


def nothing_in_flight() -> bool:
    # Only now does Django know its settings.
    from ordersite.pipeline.conservation import lines

    assert {line.service: line.in_flight for line in lines() if line.in_flight} == {}
    return True


@pytest.fixture
def api(pipeline: Pipeline) -> Api:
    return pipeline.api


def load_products() -> None:
    # Only now does Django know its settings.
    from inventory import demo_products

    demo_products.load()
    assert connection.database["products"].count_documents({}) > 0
