"""Traces by OpenTelemetry, off until a collector is set."""
