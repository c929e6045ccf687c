"""The deliverer: sends to many endpoints side by side, so that none waits for another.

An endpoint that answers gets up to `TURNS_OF_ONE_ENDPOINT` turns at a time; one that failed last or
is new gets one. Those that failed, those that are slow and those that are new have a share of the
places each, and an eighth is left to those that work: dead and slow endpoints, however many, hold
up none.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from pymongo.errors import PyMongoError

from runtime import heartbeat_file, presence
from runtime.plural import counted
from runtime.stopping import StopRequest
from runtime.trouble import Reported, in_words
from webhooks import waking
from webhooks.store import Document
from webhooks.turn import take_turn
from webhooks.waking import Health

logger = logging.getLogger(__name__)

#: Turns at a time; most of them wait for an answer.
PLACES = 128
#: How many of them endpoints of each health may have.
MOST: Mapping[Health, int] = {
    Health.WORKS: PLACES,
    Health.NEW: 64,
    Health.SLOW: 24,
    Health.FAILS: 24,
}
TURNS_OF_ONE_ENDPOINT = 8
POLL_SECONDS = 0.25
#: While all places are taken.
FULL_SECONDS = 0.02
TROUBLE_SECONDS = 1.0


class Deliverer:
    """Claims endpoints that have something to get, and gives each a turn in a thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        #: Turns at a time, by endpoint.
        self._turns: Counter[str] = Counter()
        self._by_health: Counter[Health] = Counter()
        self._reported = Reported()

    def run(self, stop: StopRequest) -> None:
        """Return when asked to stop and every turn has ended."""
        presence.doing(self._turns_now)
        with ThreadPoolExecutor(PLACES, thread_name_prefix="turn") as pool:
            while not stop.requested:
                heartbeat_file.beat()
                if self._turns.total() >= PLACES:
                    stop.wait(FULL_SECONDS)
                elif endpoint := self._claimed(stop):
                    self._begin(endpoint)
                    pool.submit(self._turn, endpoint, stop)
                else:
                    stop.wait(POLL_SECONDS)

    def _turns_now(self) -> str:
        """For the operators."""
        with self._lock:
            count = self._turns.total()
        return f"sends to endpoints in {counted(count, 'turn')}" if count else "waits for events"

    def _claimed(self, stop: StopRequest) -> Document | None:
        with self._lock:
            full = [id_ for id_, turns in self._turns.items() if turns >= TURNS_OF_ONE_ENDPOINT]
            busy = [id_ for id_, turns in self._turns.items() if turns]
            free = [each for each, most in MOST.items() if self._by_health[each] < most]
        try:
            found = waking.claim(full, busy, free)
        except PyMongoError as error:
            self._tell(error)
            stop.wait(TROUBLE_SECONDS)
            return None
        if self._reported.end():
            logger.info("The deliverer goes on")
        return found

    def _begin(self, endpoint: Document) -> None:
        with self._lock:
            self._turns[endpoint["_id"]] += 1
            self._by_health[waking.health_of(endpoint)] += 1

    def _end(self, endpoint: Document) -> None:
        with self._lock:
            self._turns[endpoint["_id"]] -= 1
            if not self._turns[endpoint["_id"]]:
                del self._turns[endpoint["_id"]]
            self._by_health[waking.health_of(endpoint)] -= 1

    def _turn(self, endpoint: Document, stop: StopRequest) -> None:
        """The thread survives every error: another turn goes on with what is left."""
        began = time.monotonic()
        try:
            take_turn(endpoint, lambda: stop.requested)
        except PyMongoError as error:
            self._tell(error)
        except Exception:
            logger.exception(
                "A turn of the webhook endpoint %s ended after %.1f s; it gets another one",
                endpoint["_id"],
                time.monotonic() - began,
            )
        else:
            presence.did("sent to the endpoint", endpoint["_id"])
        finally:
            self._end(endpoint)

    def _tell(self, error: PyMongoError) -> None:
        if self._reported.is_new(why := in_words(error)):
            logger.warning("MongoDB does not take what the deliverer does; it tries again: %s", why)
