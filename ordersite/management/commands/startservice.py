"""`python manage.py startservice NAME --listens TYPE…`"""

from __future__ import annotations

import re
from argparse import ArgumentParser
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.templates import TemplateCommand

from messaging.service import events, publisher_of, services

TEMPLATES = Path(__file__).parents[2]
DEFAULT_STATE = "handled"


class Command(TemplateCommand):
    help = (
        "Create the package of a new service and its tests in tests/NAME, and print the line to "
        "add to the settings. See docs/adding-a-service.md."
    )
    rewrite_template_suffixes = ((".py-tpl", ".py"),)
    #: For Django's messages about the name.
    app_or_project, a_or_an = "service", "a"
    missing_args_message = (
        "Name the service, for example: startservice shipping --listens order.confirmed"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the name of the package, the service and its queue")
        parser.add_argument(
            "--listens",
            nargs="+",
            required=True,
            metavar="TYPE",
            help=(
                "types of events, as `topology show` lists them; order.confirmed:announced also "
                "names the state that the order then has in the service"
            ),
        )

    def handle(self, name: str, listens: list[str], **options: Any) -> None:
        if name in services():
            raise CommandError(f"There is a service {name} already. Choose another name.")
        super().validate_name(name)
        listened = [listening(each) for each in listens]
        states = dict.fromkeys(each["state"] for each in listened if each["state"])
        context = {
            "listened": listened,
            "states": [{"name": each, "body": body_name(name, each)} for each in states],
        }
        for template, folder in (
            ("service_template", settings.BASE_DIR / name),
            ("service_tests_template", settings.BASE_DIR / "tests" / name),
        ):
            self._make(template, folder, name, {**options, **context})
        self.stdout.write(
            f"Made {name}/ and tests/{name}/. Add one line to INSTALLED_APPS in "
            f'ordersite/settings.py:\n\n    "{name}",\n\nThen: python manage.py migrate && '
            "python manage.py declare_topology"
        )

    def validate_name(self, name: str, name_or_dir: str = "name") -> None:
        """Done in `handle`: once its folder is there, the name would count as taken."""

    def _make(self, template: str, folder: Path, name: str, options: dict[str, Any]) -> None:
        if folder.exists():
            raise CommandError(f"{folder} exists already. Choose another name, or delete it.")
        folder.mkdir(parents=True)
        given = {
            "template": str(TEMPLATES / template),
            "extensions": ["py"],
            "files": [],
            "exclude": None,
        }
        super().handle("app", name, str(folder), **{**options, **given})
        for file in folder.rglob("*.py"):
            # A loop of the template ends with blank lines.
            text = sorted_imports(file.read_text().rstrip())
            file.write_text(f"{text}\n" if text else "")


def sorted_imports(text: str) -> str:
    """The same module with its imports in alphabetical sequence, whatever the service's name is."""
    return re.sub(r"(?:^from .+\n)+", alphabetical, text, flags=re.M)


def alphabetical(lines: re.Match[str]) -> str:
    return "".join(sorted(lines[0].splitlines(keepends=True)))


def listening(text: str) -> dict[str, str]:
    """`order.confirmed:announced` -> its type, the state that follows, and its handler's name.

    Raises:
        CommandError: no service publishes such a type.
    """
    type_, _, state = text.partition(":")
    if type_ not in events():
        near = get_close_matches(type_, events(), n=1)
        known = f"Did you mean {near[0]}?" if near else f"The types are {', '.join(events())}."
        raise CommandError(f"No service publishes {type_!r}. {known}")
    publisher = publisher_of(type_)
    is_of_orders = publisher is not None and publisher.keeps_ledger
    if state and not (is_of_orders or (publisher and publisher.answers)):
        raise CommandError(f"No order knows of {type_}, so it leads to no state: write it alone.")
    return {
        "type": type_,
        "state": state or (DEFAULT_STATE if is_of_orders else ""),
        "function": f"on_{type_.replace('.', '_')}",
    }


def body_name(service: str, state: str) -> str:
    """`shipping`, `announced` -> `ShippingAnnounced`."""
    return "".join(part.capitalize() for part in (*service.split("_"), *state.split("_")))
