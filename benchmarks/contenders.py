"""Everyone who takes part, in the table's sequence."""

from __future__ import annotations

from benchmarks.contender import Contender
from benchmarks.ours import Ours, WithoutStatus
from benchmarks.peers import AioPika, Dramatiq, DrfCelery, FastStream, Node

CONTENDERS: dict[str, Contender] = {
    each.name: each
    for each in (
        Ours(),
        WithoutStatus(),
        Node(),
        AioPika(),
        FastStream(),
        DrfCelery(),
        Dramatiq(),
    )
}
OURS = (Ours.name, WithoutStatus.name)
