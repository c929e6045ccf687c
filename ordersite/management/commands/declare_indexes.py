"""Make the indexes that are missing."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from pymongo.errors import OperationFailure, PyMongoError

from ordersite.doctor import declared_indexes
from ordersite.doctor.declared_indexes import DeclaredIndex
from ordersite.pipeline.one_at_a_time import OneAtATime
from runtime.trouble import of_mongodb
from runtime.waiting import unapplied


class Command(OneAtATime):
    help = "Create the indexes that models and migrations declare; those that exist stay."

    def handle(self, **options: Any) -> None:
        try:
            if unapplied():
                raise CommandError("Run first: python manage.py migrate")
            missing = declared_indexes.missing()
            for index in missing:
                declared_indexes.create(index)
                self.stdout.write(f"Made {index.name} of {index.collection}.")
        except OperationFailure as error:
            raise CommandError(refused(index, error)) from error
        except PyMongoError as error:
            raise CommandError(of_mongodb(error)) from error
        if not missing:
            self.stdout.write("Every index is there.")


def refused(index: DeclaredIndex, error: OperationFailure) -> str:
    return (
        f"MongoDB does not make {index.name} of {index.collection}: {error}\n"
        "If an index of that name differs, drop it and run this again: mongosh "
        f'"$MONGODB_URL" --eval \'db.getSiblingDB("{settings.MONGODB_DATABASE}").'
        f'{index.collection}.dropIndex("{index.name}")\'\n'
        "If a key is stored twice, delete the document that is wrong."
    )
