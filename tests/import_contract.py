"""`python -m tests.import_contract`: imports run as pyproject.toml says, for every service.

A new service is held to the contract without a line in pyproject.toml: its package takes part
wherever "<services>" stands.
"""

from __future__ import annotations

import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from importlinter.cli import lint_imports

from localservices.pipeline import ROOT, service_packages

SERVICES = "<services>"


def main() -> int:
    """0 where every contract is kept; the report is printed."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / ".importlinter"
        config.write_text(as_ini(contracts(service_packages())))
        return lint_imports(config_filename=str(config), cache_dir=None)


def contracts(services: list[str]) -> dict[str, dict[str, Any]]:
    """The sections of import-linter's configuration, by name, with the services in place."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    general = {key: value for key, value in wanted.items() if key != "contracts"}
    sections = {"importlinter": general}
    for number, contract in enumerate(wanted["contracts"]):
        sections[f"importlinter:contract:{number}"] = contract
    return {name: filled(section, services) for name, section in sections.items()}


def filled(section: dict[str, Any], services: list[str]) -> dict[str, Any]:
    """Lists get an entry a service, and a layer gets them side by side."""
    return {
        key: [each for line in value for each in placed(line, services)]
        if isinstance(value, list)
        else value
        for key, value in section.items()
    }


def placed(line: str, services: list[str]) -> list[str]:
    return services if line == SERVICES else [line.replace(SERVICES, " | ".join(services))]


def as_ini(sections: dict[str, dict[str, Any]]) -> str:
    lines: list[str] = []
    for name, section in sections.items():
        lines.append(f"[{name}]")
        for key, value in section.items():
            shown = "".join(f"\n    {each}" for each in value) if isinstance(value, list) else value
            lines.append(f"{key} = {shown}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
