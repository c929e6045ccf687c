"""Every kind of process is in the list of processes, from its start to its end."""

from __future__ import annotations

from django.core.management import call_command

from localservices.pipeline import procfile
from runtime import presence
from tests.journeys.api import Api
from tests.polling import eventually
from tests.processes import Processes

STARTED = tuple(name for name in procfile() if name != "web")
#: What an order that is confirmed has something to do for.
BUSY = {"inventory", "billing", "orders", "relay", "scheduler", "web"}


def test_each_process_tells_of_itself(processes: Processes) -> None:
    """
    Given the whole pipeline
    When an order is placed
    Then each process is listed, with what it does and did
    And once one is stopped, it is listed no more.
    """
    call_command("load_demo_products", verbosity=0)
    started = dict(zip(STARTED, processes.start(*STARTED), strict=True))
    api = Api(processes.start_web())
    api.await_status(api.place(101, "book"), "confirmed")

    def told() -> dict[str, str]:
        return {",".join(each.queues) or each.kind: each.did for each in presence.processes()}

    eventually(lambda: {name for name, did in told().items() if did} >= BUSY)
    said = told()
    assert said["relay"].startswith("published ")
    assert said["billing"].startswith("handled order.")
    assert said["web"].startswith("GET /orders/")
    assert {*STARTED, "web"} <= said.keys()
    assert not [each for each in presence.processes() if each.is_silent or each.is_stuck]

    started["billing"].stop()
    started["relay"].stop()
    eventually(lambda: not {"billing", "relay"} & told().keys())
