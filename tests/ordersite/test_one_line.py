"""A log has one line for each event, whatever untrusted values contain."""

from __future__ import annotations

import logging

import pytest

from runtime.one_line import OneLine, one_line


def line_of(message: str, *values: object, error: BaseException | None = None) -> str:
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("orders", logging.INFO, __file__, 1, message, values, info)
    return OneLine("%(levelname)s %(message)s").format(record)


@pytest.mark.parametrize(
    "value",
    [
        "a\nERROR forged",
        "a\r\nERROR forged",
        "a\x0bb",
        "\x1b[2J\x07",
        "\x00",
        "\x85",
        "\u2028\u2029",
        "\u202eevil",
        "\ud800",
        "\ufeff",
    ],
)
def test_a_value_neither_ends_the_line_nor_controls_the_terminal(value: str) -> None:
    line = line_of("group %s of %r", value, value)

    assert line.splitlines() == [line]
    assert line.isprintable()
    line.encode()


def test_a_traceback_is_in_the_line_of_its_event() -> None:
    try:
        raise ValueError("first\nsecond")
    except ValueError as error:
        line = line_of("failed", error=error)

    assert line.splitlines() == [line]
    assert r"ValueError: first\nsecond" in line
    assert "Traceback" in line


def test_readable_text_stays_as_it_is() -> None:
    assert one_line("Müller bought 3 · 日本語") == "Müller bought 3 · 日本語"


def test_the_sites_own_log_is_so() -> None:
    handler = logging.getLogger().handlers
    formatters = [each.formatter for each in handler if type(each) is logging.StreamHandler]

    assert formatters
    assert all(isinstance(each, OneLine) for each in formatters)
