"""Whether the installed RabbitMQ can read the data that an earlier one left in a folder."""

from __future__ import annotations

import re
from pathlib import Path

#: RabbitMQ 4 starts on data alone on which every feature flag of 3.13 is enabled; this one is of
#: 3.13. https://www.rabbitmq.com/docs/feature-flags
LAST_FLAG_BEFORE_4 = "message_containers"


def installed_version(server: Path) -> tuple[int, ...]:
    """The version of the server program, from the folder it is in; empty where that says none."""
    found = re.search(r"rabbitmq_server-([\d.]+)", str(server.resolve()))
    return tuple(int(part) for part in found[1].split(".")) if found else ()


def cannot_read(data: Path, version: tuple[int, ...]) -> str:
    """Why that version cannot read the data, and what to do; empty where it can, or has none.

    Args:
        data: the folder that holds a node's data, and the list of its feature flags beside them.
        version: of the installed server, e.g. (4, 0, 5).
    """
    flags = [file.read_text() for file in data.glob("*-feature_flags")]
    if version < (4,) or all(LAST_FLAG_BEFORE_4 in each for each in flags):
        return ""
    return (
        f"The data in {data} were written by a RabbitMQ before 3.13, and the installed "
        f"{'.'.join(map(str, version))} cannot read them. Either go there by way of 3.13 "
        "(docs/upgrading.md), or begin with empty queues: move the folder, and start again. "
        "Orders are in MongoDB; what a service has not answered is sent to it again."
    )
