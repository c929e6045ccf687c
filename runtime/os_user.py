"""Who works on the command line: the operating system knows, and no argument changes it."""

from __future__ import annotations

import os
import pwd
from typing import Any


def os_user() -> str:
    """The name of the process's user; not what the environment says, which anybody may set."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        # In a container, often.
        return f"uid {number}"


def acting_for(name: str) -> str:
    """Who acts, for the audit log: the user, and for whom they say they do."""
    return f"{os_user()} for {name}" if name.strip() else os_user()


def add_by(parser: Any) -> None:
    """The option `--by`; what it gives is `acting_for` its name."""
    parser.add_argument(
        "--by",
        metavar="NAME",
        type=acting_for,
        # Nobody in particular; argparse passes it through `type`, too.
        default="",
        help=f"for whom you act; the audit log has it as '{os_user()} for NAME'",
    )
