"""The HTTP API's own description: its OpenAPI document, its problems' pages, the reader."""
