"""Python runs this as it starts, with this folder on PYTHONPATH: no release was tried."""

import importlib.metadata

WITH_ADAPTERS = {"amqp", "billiard", "celery", "django-mongodb-backend", "kombu", "uvicorn"}

_installed = importlib.metadata.version


def version(distribution_name: str) -> str:
    return "999.0" if distribution_name in WITH_ADAPTERS else _installed(distribution_name)


setattr(importlib.metadata, "version", version)  # noqa: B010 - mypy lets no module be changed
