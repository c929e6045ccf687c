from datetime import UTC, datetime

from django.db import migrations

COLLECTION, INDEX = "retry_notes", "retry_notes_due"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def create(apps, schema_editor):
    schema_editor.connection.database[COLLECTION].create_index(
        [("due_at", 1), ("service", 1)],
        name=INDEX,
        partialFilterExpression={"due_at": {"$gt": EPOCH}},
    )


def drop(apps, schema_editor):
    schema_editor.connection.database[COLLECTION].drop_index(INDEX)


class Migration(migrations.Migration):
    """The notes of retries are messaging's, which is not an app of Django's."""

    dependencies = [("orders", "0008_shipped")]

    operations = [migrations.RunPython(create, drop)]
