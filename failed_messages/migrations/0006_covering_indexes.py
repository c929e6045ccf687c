"""Indexes that hold what is searched for and counted, so that no document is read for it."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

#: So few at once that no update outlives the connection's timeout.
RECORDS_AT_ONCE = 5_000

ERROR_TEXT = {
    "$concat": ["$exception", {"$cond": [{"$eq": ["$exception", ""]}, "", ": "]}, "$message"]
}


def fill(apps: Any, editor: Any) -> None:
    """Give each record its `error_text`; a second run goes on where the first one ended."""
    records = editor.connection.database["failed_messages"]
    while ids := [
        each["_id"] for each in records.find(UNFILLED, {"_id": 1}).limit(RECORDS_AT_ONCE)
    ]:
        records.update_many({"_id": {"$in": ids}}, [{"$set": {"error_text": ERROR_TEXT}}])


UNFILLED = {"error_text": {"$exists": False}}

#: An index of failed messages, and the fields that it has from now on.
INDEXES = {
    "newest": ["-last_failed_at", "-id", "status", "service", "error_text"],
    "status_newest": ["status", "-last_failed_at", "-id", "reason", "type"],
    "service_status_newest": ["service", "status", "-last_failed_at", "-id", "reason", "type"],
    "service_newest": ["service", "-last_failed_at", "-id", "reason", "type"],
    "reason_newest": ["reason", "-last_failed_at", "-id", "service", "status", "type"],
}


class Migration(migrations.Migration):
    dependencies = [
        ("failed_messages", "0005_alerts_policies_retention"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)],
            [
                migrations.AddField(
                    model_name="failedmessage",
                    name="error_text",
                    field=models.CharField(default="", max_length=802),
                    preserve_default=False,
                )
            ],
        ),
        *(migrations.RemoveIndex(model_name="failedmessage", name=name) for name in INDEXES),
        *(
            migrations.AddIndex(
                model_name="failedmessage", index=models.Index(fields=fields, name=name)
            )
            for name, fields in INDEXES.items()
        ),
        migrations.AddIndex(
            model_name="failedmessage",
            index=models.Index(fields=["service", "status", "type", "order_id"], name="standing"),
        ),
        migrations.AlterModelOptions(
            name="auditentry",
            options={
                "default_permissions": ("view",),
                "ordering": ["-at", "-id"],
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit log entries",
            },
        ),
    ]
