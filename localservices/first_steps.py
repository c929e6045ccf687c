"""A newcomer's walk against a `make run`, and how long each step of it took.

`python -m localservices.first_steps [http://localhost:8000]` does what docs/first-steps.md says: it
places an order, sees it confirmed, sees one fail, reads why, and replays it.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request

from localservices.direct import urlopen

ROOT = Path(__file__).parent.parent

ADDRESS = "http://localhost:8000"
#: The login that `make run` made.
OPERATOR = f"Basic {base64.b64encode(b'admin:admin').decode()}"

#: For one step. Retries wait 15 s in all under `make run`.
STEP_SECONDS = 120.0
POLL_SECONDS = 0.2
ANSWER_SECONDS = 30

SimulateFault = Callable[[str], None]


class NotReached(Exception):
    """A step did not come to its end; the text says which."""


class Walk:
    """The steps, one after the other."""

    def __init__(self, address: str, simulate_fault: SimulateFault) -> None:
        """
        Args:
            simulate_fault: makes billing fail for customer 500 with this kind of fault, or, with
                `none`, stops that.
        """
        self._address = address.rstrip("/")
        self._simulate_fault = simulate_fault
        #: Each step with the seconds that it took.
        self.steps: list[tuple[str, float]] = []

    def go(self) -> None:
        """Raises NotReached, or OSError where the site does not answer."""
        with self._step("An order was placed"):
            order = self._placed(101)
        with self._step("It was confirmed"):
            self._confirmed(order)
        with self._step("An order failed, and is on the desk"):
            order = self._placed(500)
            failed = self._failed(order)
        with self._step("The desk said why"):
            record = self._ask(f"/failed-messages/{failed}")
            if record["service"] != "billing":
                raise NotReached(f"{record['service']} failed, not billing")
        with self._step("The fault was removed"):
            self._simulate_fault("none")
        try:
            with self._step("It was replayed, and its order confirmed"):
                self._ask(f"/failed-messages/{failed}/replay", {"reason": "the fault is removed"})
                self._confirmed(order)
        finally:
            # For the next one who walks.
            self._simulate_fault("error")

    @contextmanager
    def _step(self, said: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.steps.append((said, time.monotonic() - began))

    def _placed(self, user_id: int) -> str:
        body = {"userId": user_id, "items": ["book", "pen"]}
        order_id: str = self._ask("/orders", body, login="")["order"]["orderId"]
        return order_id

    def _confirmed(self, order_id: str) -> None:
        def status() -> bool:
            return self._ask(f"/orders/{order_id}", login="")["status"] == "confirmed"

        eventually(status, f"order {order_id} was not confirmed")

    def _failed(self, order_id: str) -> str:
        def listed() -> list[Any]:
            path = f"/failed-messages?orderId={order_id}&status=failed"
            items: list[Any] = self._ask(path)["items"]
            return items

        found = eventually(listed, f"nothing of order {order_id} failed; is the fault there?")
        return str(found[0]["id"])

    def _ask(self, path: str, body: Any = None, login: str = OPERATOR) -> Any:
        headers = {"Authorization": login} if login else {}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        try:
            request = Request(self._address + path, data, headers)
            with urlopen(request, timeout=ANSWER_SECONDS) as answer:
                return json.load(answer)
        except HTTPError as error:
            said = error.read().decode(errors="replace")[:500]
            raise NotReached(f"{path} answered {error.code}: {said}") from error


def eventually(there: Callable[[], Any], otherwise: str) -> Any:
    """What is there at last. Raises NotReached: it is not within `STEP_SECONDS`."""
    ends_at = time.monotonic() + STEP_SECONDS
    while not (found := there()):
        if time.monotonic() > ends_at:
            raise NotReached(f"{otherwise}, after {STEP_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)
    return found


def simulate_fault(kind: str) -> None:
    """Have billing fail so for customer 500."""
    asked = ["simulate_fault", "billing", "--user", "500", "--kind", kind]
    subprocess.run([sys.executable, "manage.py", *asked], cwd=ROOT, check=True, capture_output=True)


def main(address: str) -> int:
    walk = Walk(address, simulate_fault)
    told = ""
    try:
        walk.go()
    except (NotReached, OSError, subprocess.CalledProcessError) as error:
        told = f"The walk ended here: {error}"
    for said, seconds in walk.steps:
        print(f"{seconds:7.1f} s  {said}")
    print(f"{sum(seconds for _, seconds in walk.steps):7.1f} s  in all")
    if told:
        print(told, file=sys.stderr)
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ADDRESS))
