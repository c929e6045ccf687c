from django.db import migrations

from orders.unanswered import BY_ANY, INDEX


def create(apps, schema_editor):
    # Django's Index cannot look into the ledger.
    schema_editor.connection.database["orders"].create_index(
        [("updated_at", 1)], name=INDEX, partialFilterExpression=BY_ANY
    )


def drop(apps, schema_editor):
    schema_editor.connection.database["orders"].drop_index(INDEX)


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0003_cancellation_and_steps"),
    ]

    operations = [migrations.RunPython(create, drop)]
