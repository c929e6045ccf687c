"""OpenTelemetry's own variables: a wrong one stops the start with its name and an example."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ordersite import environment, tracing_settings
from ordersite.environment import DECLARED, InvalidSetting

COLLECTOR = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    # What is declared here is forgotten: the site's own settings are checked by it elsewhere.
    monkeypatch.setattr(tracing_settings, "DECLARED", declared := dict(DECLARED))
    monkeypatch.setattr(environment, "DECLARED", declared)
    for name in (COLLECTOR, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)


def test_nothing_is_traced_until_a_collector_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    # Set for every program of a cluster, as an operator of Kubernetes does.
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")

    assert not tracing_settings.are_on()


@pytest.mark.parametrize("name", [COLLECTOR, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
def test_either_address_turns_them_on(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "https://collector.example.com:4318/v1/traces")

    assert tracing_settings.are_on()


def test_the_sdk_can_be_disabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COLLECTOR, "http://localhost:4318")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")

    assert not tracing_settings.are_on()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        (COLLECTOR, "localhost:4317", "must be a URL"),
        (COLLECTOR, "http://localhost:4318?a=1", "has a query"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "grpc://localhost", "must be a URL"),
        ("OTEL_SDK_DISABLED", "perhaps", "Not a valid boolean"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "must be http/protobuf"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", "must be http/protobuf"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zip", "must be none or gzip or deflate"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "0", "is not between"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon", "Not a valid number"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such.pem", "there is no file"),
        ("OTEL_BSP_SCHEDULE_DELAY", "0", "is not between"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "many", "Not a valid integer"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096", "is more than OTEL_BSP_MAX_QUEUE_SIZE"),
    ],
)
def test_a_wrong_variable_is_named(
    name: str, value: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(COLLECTOR, "http://localhost:4318")
    monkeypatch.setenv(name, value)

    with pytest.raises(InvalidSetting) as stopped:
        tracing_settings.are_on()

    assert f"The setting {name} is not usable" in str(stopped.value)
    assert reason in str(stopped.value)
    assert f"for example: {name}=" in str(stopped.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.5"),
        ("OTEL_TRACES_SAMPLER_ARG", "nan"),
        ("OTEL_TRACES_SAMPLER_ARG", "1%"),
    ],
)
def test_a_wrong_sampler_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(InvalidSetting, match=f"for example: {name}="):
        tracing_settings.sampler()


def test_one_in_a_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.01")

    assert tracing_settings.sampler() == (0.01, True)


@pytest.mark.parametrize(
    "url",
    [
        "https://tempo.example.com/trace/",
        "tempo/{trace_id}",
        "javascript:{trace_id}",
        "https://tempo.example.com/{trace_id}/{span_id}",
        "https://tempo.example.com/ {trace_id}",
        "https://user:secret@tempo.example.com/{trace_id}",
    ],
)
def test_a_wrong_address_of_traces_is_named(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACE_URL", url)

    with pytest.raises(InvalidSetting, match=r"for example: TRACE_URL=https://.*\{trace_id\}"):
        tracing_settings.trace_url()


@pytest.mark.parametrize(
    "url",
    ["", "https://tempo.example.com/trace/{trace_id}", "http://zipkin:9411/#/traces/{trace_id}"],
)
def test_a_right_one_is_taken(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACE_URL", url)

    assert tracing_settings.trace_url() == url


@pytest.mark.parametrize("scope", ["", "TRACES_"])
def test_a_collector_s_token_may_be_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scope: str
) -> None:
    """The SDK reads the environment alone."""
    name = f"OTEL_EXPORTER_OTLP_{scope}HEADERS"
    (tmp_path / "headers").write_text("authorization=Bearer%20secret\n")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318")
    # Undone with the test.
    monkeypatch.setenv(name, "")
    monkeypatch.delenv(name)
    monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "headers"))

    assert tracing_settings.are_on()
    assert os.environ[name] == "authorization=Bearer%20secret"
