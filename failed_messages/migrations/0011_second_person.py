import django_mongodb_backend.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("failed_messages", "0010_who_is_believed")]

    operations = [
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
                ],
                max_length=20,
            ),
        ),
        migrations.CreateModel(
            name="PendingAct",
            fields=[
                (
                    "id",
                    django_mongodb_backend.fields.ObjectIdAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("act", models.CharField(max_length=30, verbose_name="what")),
                ("by", models.CharField(max_length=150, verbose_name="who asks")),
                ("at", models.DateTimeField(verbose_name="when")),
                ("reason", models.TextField()),
                ("messages", models.PositiveIntegerField()),
                ("arguments", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting for another person"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                        ],
                        max_length=20,
                    ),
                ),
                ("decided_by", models.CharField(max_length=150, verbose_name="who decided")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided")),
                ("outcome", models.TextField()),
            ],
            options={
                "verbose_name": "act to approve",
                "verbose_name_plural": "acts to approve",
                "db_table": "pending_acts",
                "ordering": ["-at", "-id"],
                "default_permissions": (),
                "indexes": [models.Index(fields=["-at", "-id"], name="pending_newest")],
            },
        ),
    ]
