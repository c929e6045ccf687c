"""The HTTP API is as its OpenAPI document says."""
