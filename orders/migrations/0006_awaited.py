from datetime import UTC, datetime

from django.db import migrations

INDEX = "orders_awaited"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def create(apps, schema_editor):
    schema_editor.connection.database["orders"].create_index(
        [("awaited", 1), ("awaited_since", 1)],
        name=INDEX,
        partialFilterExpression={"awaited_since": {"$gt": EPOCH}},
    )


def drop(apps, schema_editor):
    schema_editor.connection.database["orders"].drop_index(INDEX)


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0005_attempts_of_steps"),
    ]

    operations = [migrations.RunPython(create, drop)]
