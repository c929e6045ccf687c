"""Alerts, dashboard and documentation name metrics that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from ordersite.pipeline.metrics import FAMILIES

ROOT = Path(__file__).parents[2]
RULES = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text())["groups"][0]["rules"]
PAGE = (ROOT / "docs/monitoring.md").read_text()
LABELS = {family.name: set(family.labels) for family in FAMILIES}


def expressions() -> Iterator[str]:
    for rule in RULES:
        yield rule["expr"]
    dashboard = json.loads((ROOT / "deploy/grafana/overview.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield target["expr"]


def test_every_metric_and_label_of_an_expression_is_one() -> None:
    for expression in expressions():
        named = re.findall(r"(ordersite_\w+)(?:\{([^}]*)\})?", expression)
        assert named, expression
        labels = set().union(*(LABELS[name] for name, _ in named))
        asked = set(re.findall(r"(\w+)[!=]~?\"", expression))
        grouped = re.findall(r"by \(([^)]*)\)", expression)
        asked |= {name.strip() for names in grouped for name in names.split(",")}
        assert asked <= labels, expression


def test_every_metric_is_in_the_documentation() -> None:
    rows = re.findall(r"^\| `(ordersite_\w+)` \| (.*?) ?\| (.*) \|$", PAGE, re.MULTILINE)

    told = [(name, tuple(re.findall(r"`(\w+)`", labels)), text) for name, labels, text in rows]
    assert told == [(family.name, family.labels, family.help) for family in FAMILIES]


def test_every_alert_leads_to_a_runbook() -> None:
    headings = {title.lower().replace(" ", "-") for title in re.findall(r"^### (.*)$", PAGE, re.M)}

    assert {rule["annotations"]["runbook"] for rule in RULES} == {
        f"docs/monitoring.md#{heading}" for heading in headings
    }


def test_the_label_of_a_summary_is_there() -> None:
    for rule in RULES:
        named = re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])
        metrics = re.findall(r"ordersite_\w+", rule["expr"])
        assert set(named) <= set().union(*(LABELS[name] for name in metrics)), rule["alert"]
