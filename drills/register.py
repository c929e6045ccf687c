"""Every drill, in the order of the table."""

from __future__ import annotations

from drills import worker_kills
from drills.drill import Drill

DRILLS: tuple[Drill, ...] = (worker_kills.DRILL,)
