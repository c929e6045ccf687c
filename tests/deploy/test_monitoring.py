"""Alerts, dashboard and documentation name metrics that there are."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from promql_parser import AggregateExpr, Expr, VectorSelector, parse, walk

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
    "webhooks.deliverer",
):
    import_module(process)

ROOT = Path(__file__).parents[2]
RULES = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text())["groups"][0]["rules"]
#: Whoever deploys them puts the address of their own page in its place.
RUNBOOKS = "https://docs.example.com/docs/monitoring.html"
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


def targets() -> Iterator[dict[str, Any]]:
    """What the dashboards' panels ask."""
    for dashboard in DASHBOARDS:
        for panel in json.loads(dashboard.read_text())["panels"]:
            yield from panel["targets"]


def selectors(expression: Expr) -> list[VectorSelector]:
    found = []
    walk(expression, lambda part: found.append(part) if isinstance(part, VectorSelector) else None)
    return found


def labels_in(expression: Expr) -> set[str]:
    """Of its metrics, each of which there is."""
    return set().union(*(LABELS[each.name] for each in selectors(expression)))


def check(part: Expr) -> None:
    """That a part asks for labels, and groups by labels, which its own metrics have."""
    if isinstance(part, VectorSelector):
        assert {each.name for each in part.matchers.matchers} <= LABELS[part.name], part
    if isinstance(part, AggregateExpr) and part.modifier:
        assert {*part.modifier.labels} <= labels_in(part), part


@pytest.mark.parametrize(
    "expression", [*(rule["expr"] for rule in RULES), *(each["expr"] for each in targets())]
)
def test_every_expression_is_one_of_metrics_and_labels_that_there_are(expression: str) -> None:
    parsed = parse(expression)

    assert selectors(parsed)
    walk(parsed, check)


@pytest.mark.parametrize(
    "expression", [*(rule["expr"] for rule in RULES), *(each["expr"] for each in targets())]
)
def test_what_each_web_process_tells_of_the_whole_pipeline_is_counted_once(expression: str) -> None:
    """Prometheus asks each of them, so a sum would be three times as much where three run."""
    of_the_pipeline = {each.name for each in FAMILIES}

    def check_sum(part: Expr) -> None:
        if isinstance(part, AggregateExpr) and str(part.op) == "sum":
            summed = part.expr
            names = {each.name for each in selectors(summed)}
            assert isinstance(summed, AggregateExpr) or names.isdisjoint(of_the_pipeline), part

    walk(parse(expression), check_sum)


def test_every_legend_and_variable_names_a_label() -> None:
    for target in targets():
        named = re.findall(r"{{(\w+)}}", target.get("legendFormat", ""))
        assert {*named} <= labels_in(parse(target["expr"])), target
    for dashboard in DASHBOARDS:
        for variable in json.loads(dashboard.read_text())["templating"]["list"]:
            if variable["type"] == "query":
                [(metric, label)] = re.findall(r"label_values\((\w+), (\w+)\)", variable["query"])
                assert label in LABELS[metric]


def test_every_metric_is_in_the_documentation() -> None:
    rows = re.findall(r"^\| `(ordersite_\w+)` \| (.*?) ?\| (.*) \|$", PAGE, re.MULTILINE)

    told = [(name, tuple(re.findall(r"`(\w+)`", labels)), text) for name, labels, text in rows]
    assert told == [(each.name, each.labels, each.help) for each in (*FAMILIES, *COUNTED)]


def test_every_alert_links_its_runbook() -> None:
    """By the name and with the whole address that Alertmanager and Grafana make a link of."""
    headings = {title.lower().replace(" ", "-") for title in re.findall(r"^### (.*)$", PAGE, re.M)}

    assert {rule["annotations"]["runbook_url"] for rule in RULES} == {
        f"{RUNBOOKS}#{heading}" for heading in headings
    }


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("page", ["monitoring", "deploying"])
def test_a_page_puts_the_deployers_address_into_all_of_them(page: str) -> None:
    text = (ROOT / f"docs/{page}.md").read_text()
    [command] = re.findall(r"^ *(sed .*deploy/prometheus/alerts\.yaml)", text, re.MULTILINE)
    address = "https://git.example/shop/docs/monitoring.md"

    written = subprocess.run(
        ["sh", "-c", command],
        cwd=ROOT,
        env={**os.environ, "RUNBOOKS": address},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout

    assert written.count(f"runbook_url: {address}#") == len(RULES)
    assert RUNBOOKS not in written


def test_the_label_of_a_summary_is_there() -> None:
    for rule in RULES:
        named = re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])
        assert set(named) <= labels_in(parse(rule["expr"])), rule["alert"]
