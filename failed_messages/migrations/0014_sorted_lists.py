"""What the list of failed messages is also sorted by."""

from django.db import migrations, models

FILTERS = ["status", "service", "fingerprint", "reason", "type"]
INDEXES = {
    "first_failed": ["first_failed_at", "id", *FILTERS],
    "most_attempts": ["-attempts", "-id", *FILTERS],
}


class Migration(migrations.Migration):
    dependencies = [("failed_messages", "0013_stopped_retries")]

    operations = [
        migrations.AddIndex(
            model_name="failedmessage", index=models.Index(fields=fields, name=name)
        )
        for name, fields in INDEXES.items()
    ]
