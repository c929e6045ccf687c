"""All messages of a cause can be discarded at once, in the background."""

import django_mongodb_backend.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("failed_messages", "0014_sorted_lists")]

    operations = [
        migrations.CreateModel(
            name="DiscardJob",
            fields=[
                (
                    "id",
                    django_mongodb_backend.fields.ObjectIdAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("by", models.CharField(max_length=150)),
                ("at", models.DateTimeField(verbose_name="started")),
                ("reason", models.TextField()),
                ("selection", models.TextField()),
                ("found", models.PositiveBigIntegerField()),
                ("discarded", models.PositiveBigIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("stopped", "Stopped by itself"),
                            ("cancelled", "Cancelled"),
                            ("done", "Done"),
                        ],
                        max_length=20,
                    ),
                ),
                ("why", models.TextField()),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "bulk discard",
                "db_table": "discard_jobs",
                "ordering": ["-at", "-id"],
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["-at", "-id"], name="discards_newest"),
                    models.Index(fields=["state"], name="discards_state"),
                ],
            },
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="subject",
            field=models.CharField(
                choices=[
                    ("message", "Message"),
                    ("group", "Group"),
                    ("job", "Bulk replay"),
                    ("policy", "Replay policy"),
                    ("restore", "Restored backup"),
                    ("request", "Request"),
                    ("pending", "Act to approve"),
                    ("person", "Person"),
                    ("key", "API key"),
                    ("retry", "Waiting retry"),
                    ("bulk discard", "Bulk discard"),
                ],
                max_length=20,
            ),
        ),
    ]
