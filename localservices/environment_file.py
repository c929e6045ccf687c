"""`.local/services.env`: how every terminal finds the services that `make run` started.

Lines of `KEY=value`, read by ordersite's settings; a real environment variable wins over it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

FOLDER = Path(__file__).parent.parent / ".local"
FILE = FOLDER / "services.env"

HEADER = (
    "# Written by `make run`, so that manage.py and celery in any terminal find its services.\n"
)


def read(file: Path = FILE) -> dict[str, str]:
    """Return what the last run remembered; nothing before the first."""
    if not file.exists():
        return {}
    lines = (line.partition("=") for line in file.read_text().splitlines())
    return {key: value for key, separator, value in lines if separator and not key.startswith("#")}


def write(settings: Mapping[str, str], file: Path = FILE) -> None:
    """Remember these settings; the file is for its owner alone, it holds the secret key."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(HEADER + "".join(f"{key}={value}\n" for key, value in settings.items()))


def remembered_port(settings: Mapping[str, str], name: str) -> int | None:
    """Return the port in the URL that the setting `name` holds, if it was remembered."""
    return urlsplit(settings.get(name, "")).port
