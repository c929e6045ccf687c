"""Imports the libraries before the first process is forked, so that all share their memory."""

from __future__ import annotations

import gc
from contextlib import suppress
from importlib import import_module

from ordersite.patches import geography

#: What the processes import, each with all that it imports itself. Nothing in here reads a setting,
#: as each process has its own.
MODULES = (
    "celery.bin.celery",
    "celery.apps.worker",
    "celery.backends.base",
    "celery.concurrency.prefork",
    "celery.contrib.django.task",
    "celery.fixups.django",
    "celery.worker.consumer",
    "kombu.mixins",
    "kombu.transport.pyamqp",
    "pymongo",
    "django.core.handlers.wsgi",
    "django.db.migrations.executor",
    "django.db.models.sql.compiler",
    "django.contrib.admin.options",
    "django.contrib.auth.hashers",
    "django.views.defaults",
    "django_mongodb_backend.base",
    "django_mongodb_backend.compiler",
    "rest_framework.serializers",
    "uvicorn.loops.uvloop",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.httptools_impl",
    "ecs_logging",
    "environs",
    "iso4217",
    "jwt",
    "msgspec.json",
    "packaging.specifiers",
    "prometheus_client",
    "rich.console",
    "rich.table",
    "standardwebhooks",
    "whitenoise.middleware",
)


def preload() -> None:
    """Import them, and keep the garbage collector from touching them, which would copy the memory.

    https://docs.python.org/3/library/gc.html#gc.freeze
    """
    # As the documentation has it: what is freed before the fork leaves holes that are filled after.
    gc.disable()
    geography.leave_out()
    for name in MODULES:
        # Another release of a library may not have it: then each process imports what it needs.
        with suppress(ImportError):
            import_module(name)
    gc.freeze()
    gc.enable()
