"""The tables and the chart show the medians, and how far we are ahead."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from benchmarks.__main__ import DOCUMENT
from benchmarks.__main__ import RESULTS as RECORDED
from benchmarks.chart import chart
from benchmarks.figures import rows
from benchmarks.report import BEGIN, END, tables, write_between_markers


def run(contender, measure, result):
    return {"round": 1, "contender": contender, "measure": measure, "result": result}


def end_to_end(effects, web_seconds):
    return {
        "effects_per_second": effects,
        "confirmed_per_second": effects,
        "cpu_seconds_per_1000_orders": {"web": web_seconds, "MongoDB": 1.0},
        "peak_memory_mb": 200.0,
    }


RESULTS = {
    "taken_at": "2026-01-01T00:00:00+00:00",
    "machine": {
        "cores": 2, "memory_gb": 8, "system": "Linux", "python": "3.11", "load_before": 0.1
    },
    "scale": {"rounds": 3},
    "contenders": {"ours": "this pipeline", "node": "Node", "drf_celery": "Celery"},
    "runs": [
        *(run("ours", "end_to_end", end_to_end(n, 1.0)) for n in (900.0, 1000.0, 5000.0)),
        *(run("node", "end_to_end", end_to_end(n, 7.0)) for n in (100.0, 200.0, 250.0)),
        run("drf_celery", "end_to_end", end_to_end(50.0, 19.0)),
        run(None, "limits", {
            "insert_one_documents_per_second": 1_000.0,
            "insert_many_documents_per_second": 30_000.0,
            "confirmed_messages_per_second": 10_000.0,
            "acked_messages_per_second": 20_000.0,
        }),
    ],
}  # fmt: skip


def test_we_are_compared_with_the_best_peer():
    factors = {row.title: row.factor() for row in rows(RESULTS)}
    assert factors["End to end, orders/s to the last effect"] == pytest.approx(1000 / 200)
    assert factors["CPU, s for 1,000 orders"] == pytest.approx(8 / 2)


def test_the_tables_show_medians_factors_and_limits():
    text = tables(RESULTS)
    assert "| End to end, orders/s to the last effect | 1,000 | 200 | 50 | 5.0 times |" in text
    assert "| CPU, s for 1,000 orders | 2 | 8 | 20 | 4.0 times |" in text
    assert "| pipelined confirms, messages/s | 10,000 | End to end, " in text
    assert "| 10% |" in text


def test_the_last_recorded_session_is_shown_whoever_takes_part_today():
    session = json.loads(max(RECORDED.glob("*.json")).read_text())
    assert tables(session) in DOCUMENT.read_text()
    assert chart(session) == (RECORDED / "chart.svg").read_text()


def test_the_tables_replace_what_the_document_had_between_its_markers(tmp_path):
    document = tmp_path / "performance.md"
    document.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_between_markers(document, "new")
    assert document.read_text() == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"


def test_a_document_without_markers_is_left_alone(tmp_path):
    document = tmp_path / "performance.md"
    document.write_text("before\n")
    with pytest.raises(ValueError, match="lacks the line"):
        write_between_markers(document, "new")
    assert document.read_text() == "before\n"


def test_the_chart_has_a_bar_for_each_contender_in_each_figure():
    rectangles = ElementTree.fromstring(chart(RESULTS)).iter("{http://www.w3.org/2000/svg}rect")
    widths = [float(each.get("width")) for each in rectangles if each.get("class") != "ground"]
    assert len(widths) == 2 * 3
    assert widths[0] == pytest.approx(widths[1] * 5)
