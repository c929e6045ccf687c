"""Alerts, dashboard and documentation name metrics that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import yaml

from ordersite.pipeline.metrics import FAMILIES
from runtime.metrics import counting

# What the processes run: each declares what it counts.
for process in (
    "celery_app",
    "failed_messages.archiving.archiver",
    "messaging.consuming.batching",
    "orders.outbox.relay",
    "ordersite.asgi",
    "ordersite.pipeline.scheduler",
):
    import_module(process)

ROOT = Path(__file__).parents[2]
RULES = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text())["groups"][0]["rules"]
PAGE = (ROOT / "docs/monitoring.md").read_text()
DASHBOARDS = sorted((ROOT / "deploy/grafana").glob("*.json"))
COUNTED = sorted(
    (each for each in counting.declared if each.name.startswith("ordersite_")),
    key=lambda each: each.name,
)
LABELS = {each.name: {*each.labels} for each in (*FAMILIES, *COUNTED)}
for histogram in COUNTED:
    if isinstance(histogram, counting.Histogram):
        LABELS[f"{histogram.name}_bucket"] = {*histogram.labels, "le"}
        LABELS[f"{histogram.name}_count"] = LABELS[f"{histogram.name}_sum"] = {*histogram.labels}


def expressions() -> Iterator[str]:
    for rule in RULES:
        yield rule["expr"]
    for dashboard in DASHBOARDS:
        for panel in json.loads(dashboard.read_text())["panels"]:
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
    assert told == [(each.name, each.labels, each.help) for each in (*FAMILIES, *COUNTED)]


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
