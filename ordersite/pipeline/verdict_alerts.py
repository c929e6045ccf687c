"""Alerts of the front page's verdict: degraded, broken, and good again, once for each change.

A change has to last, as a process that is started again is nobody's concern. What was told last is
in MongoDB, so that of several schedulers one tells; without MongoDB each tells for itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pymongo
from django.urls import reverse
from pymongo.errors import PyMongoError

from failed_messages.acting import alerts
from messaging.service import services
from ordersite.overview.concern import Concern, Level, Verdict
from ordersite.overview.stored_snapshot import ANSWER_SECONDS, current, kept
from ordersite.overview.verdict import judge
from runtime.mongodb_clock import carried_on

LASTING_SECONDS = 30
#: Of one alert.
MOST_CONCERNS = 20
TOLD = "told_verdict"

HEADLINES = {
    Level.GOOD: "The pipeline is good again",
    Level.DEGRADED: "The pipeline is degraded",
    Level.BROKEN: "The pipeline is broken",
}


class Watch:
    """What one scheduler has seen of the verdict, and what it could not store."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._level: Level | None = None
        self._since = 0.0
        self._key = ""
        #: What was told while MongoDB was down.
        self._unstored: Level | None = None

    def run(self) -> int:
        """Tell the operators if the verdict has changed; the scheduler runs this every 10 s.

        Returns: how many alerts went out.
        """
        if not alerts.is_set_up():
            return 0
        snapshot = current()
        verdict = judge(snapshot, max(snapshot.at, carried_on()), tuple(services()))
        return int(self._lasts(verdict.level) and self._tell(verdict))

    def _lasts(self, level: Level) -> bool:
        if level is not self._level:
            self._level, self._since = level, self._clock()
            self._key = f"verdict:{level.name}:{datetime.now(UTC).isoformat()}"
        return self._clock() - self._since >= LASTING_SECONDS

    def _tell(self, verdict: Verdict) -> bool:
        try:
            with pymongo.timeout(ANSWER_SECONDS):
                self._store_late()
                before = told()
                if before is verdict.level or not claim(before, verdict.level):
                    return False
        except PyMongoError:
            return self._tell_without_mongodb(verdict)
        if alerts.deliver(alert_of(verdict, before), self._key):
            return True
        # No one was told, so the next run tries again.
        claim(verdict.level, before)
        return False

    def _store_late(self) -> None:
        if self._unstored is not None:
            kept().update_one({"_id": TOLD}, {"$set": {"level": int(self._unstored)}}, upsert=True)
            self._unstored = None

    def _tell_without_mongodb(self, verdict: Verdict) -> bool:
        before = self._unstored if self._unstored is not None else Level.GOOD
        if before is verdict.level:
            return False
        is_told = alerts.deliver(alert_of(verdict, before), self._key)
        if is_told:
            self._unstored = verdict.level
        return is_told


def told() -> Level:
    """What the operators were last told; healthy, where they were told nothing."""
    known = kept().find_one({"_id": TOLD})
    return Level(known["level"]) if known else Level.GOOD


def claim(before: Level, after: Level) -> bool:
    """Whether it is this process that tells of the change; another one may have been first."""
    kept().update_one({"_id": TOLD}, {"$setOnInsert": {"level": int(Level.GOOD)}}, upsert=True)
    change = {"$set": {"level": int(after)}}
    return kept().update_one({"_id": TOLD, "level": int(before)}, change).modified_count == 1


def alert_of(verdict: Verdict, before: Level) -> dict[str, Any]:
    """What the operators are told."""
    return {
        "kind": "verdict",
        "headline": HEADLINES[verdict.level],
        "verdict": verdict.level.name.lower(),
        "before": before.name.lower(),
        "error": verdict.sentence,
        "concerns": [told_of(each) for each in verdict.concerns[:MOST_CONCERNS]],
        "url": alerts.address_of(reverse("admin:index")),
    }


def told_of(concern: Concern) -> dict[str, str]:
    return {
        "verdict": concern.level.name.lower(),
        "what": concern.what,
        "cost": concern.cost,
        "step": concern.step,
        "command": concern.command,
        "url": alerts.address_of(concern.click.url),
    }
