"""Acts in parts wait for a second person as one act in whole does."""

import django_mongodb_backend.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("failed_messages", "0015_bulk_discards")]

    operations = [
        migrations.CreateModel(
            name="ActAlone",
            fields=[
                (
                    "id",
                    django_mongodb_backend.fields.ObjectIdAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=30)),
                (
                    "persons",
                    django_mongodb_backend.fields.ArrayField(
                        models.CharField(max_length=150), size=None
                    ),
                ),
                ("messages", models.PositiveIntegerField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "db_table": "acts_alone",
                "default_permissions": (),
                "indexes": [models.Index(fields=["at"], name="acts_alone_oldest")],
            },
        ),
    ]
