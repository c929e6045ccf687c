from django.db import migrations

from orders.unanswered import INDEX, index


def create(apps, schema_editor):
    schema_editor.connection.database["orders"].create_indexes([index()])


def drop(apps, schema_editor):
    schema_editor.connection.database["orders"].drop_index(INDEX)


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0003_cancellation_and_steps"),
    ]

    operations = [migrations.RunPython(create, drop)]
