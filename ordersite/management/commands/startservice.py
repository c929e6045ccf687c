"""`python manage.py startservice NAME --listens TYPE…`"""

from __future__ import annotations

import re
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.templates import TemplateCommand

from messaging.service import PENDING, Service, events, happens, publisher_of, services
from messaging.service_names import WORD, fault_of_name, shares_exchange

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
                "names the state that the order then has in the service. Without a name, an "
                f"order's own event leads to the state {DEFAULT_STATE}, and another service's to "
                "no state"
            ),
        )

    def handle(self, name: str, listens: list[str], **options: Any) -> None:
        check_name(name)
        super().validate_name(name)
        listened = listening_to(listens)
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


def check_name(name: str) -> None:
    """Raises CommandError: a service of this name could not work; the text says why."""
    if name in services():
        raise CommandError(f"There is a service {name} already. Choose another name.")
    if fault := fault_of_name(name):
        near = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        more = "" if near == name or fault_of_name(near) else f" Try {near}."
        raise CommandError(f"{fault}. Choose another name.{more}")
    if name in {config.label for config in apps.get_app_configs()}:
        raise CommandError(f"Django has an app of this name, {name}, already. Choose another name.")
    # A library may have put something else in its module's place, as kombu does.
    if name in sys.modules:
        raise CommandError(f"Python has a module of this name, {name}. Choose another name.")
    if fault := shares_exchange(Service(name), services().values()):
        raise CommandError(f"{name!r} cannot be a service: {fault}. Choose another name.")
    if (settings.BASE_DIR / "tests" / f"{name}.py").exists():
        raise CommandError(f"Its tests would hide tests/{name}.py. Choose another name.")


def listening_to(listens: Sequence[str]) -> list[dict[str, str]]:
    """Each as `listening`, in the sequence in which the events happen to an order.

    A later state of an order stands in for an earlier one, so they must have that sequence, too.

    Raises:
        CommandError: one of them cannot be; a type is named twice.
    """
    listened = [listening(each) for each in listens]
    for type_, times in Counter(each["type"] for each in listened).items():
        if times > 1:
            raise CommandError(
                f"{type_} is named twice. Name it once; its handler may answer with several "
                "states, see docs/adding-a-service.md."
            )
    return sorted(listened, key=lambda each: happens(each["type"]))


def listening(text: str) -> dict[str, str]:
    """`order.confirmed:announced` -> its type, the state that follows, and its handler's name.

    Raises:
        CommandError: no service publishes such a type, or the state cannot be one.
    """
    type_, _, state = text.partition(":")
    if type_ not in events():
        near = get_close_matches(type_, events(), n=1)
        known = f"Did you mean {near[0]}?" if near else f"The types are {', '.join(events())}."
        raise CommandError(f"No service publishes {type_!r}. {known}")
    if state == PENDING:
        raise CommandError(f"An order is {PENDING} before its first state. Name another one.")
    if state and not WORD.fullmatch(state):
        raise CommandError(
            f"{state!r} cannot be a state: a state is a lower-case letter, then lower-case "
            "letters, digits and _."
        )
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
