from typing import Any

from django.db import migrations, models
from pymongo import IndexModel


def add_expiry(apps: Any, editor: Any) -> None:
    index = IndexModel([("expires_at", 1)], name="keyed_requests_expiry", expireAfterSeconds=0)
    editor.connection.database["keyed_requests"].create_indexes([index])


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="KeyedRequest",
            fields=[
                (
                    "key",
                    models.CharField(
                        db_column="_id", max_length=600, primary_key=True, serialize=False
                    ),
                ),
                ("fingerprint", models.CharField(max_length=64)),
                ("claimed_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("status", models.IntegerField(null=True)),
                ("head", models.TextField(null=True)),
                ("body", models.TextField(null=True)),
            ],
            options={
                "db_table": "keyed_requests",
            },
        ),
        migrations.RunPython(add_expiry, migrations.RunPython.noop),
    ]
