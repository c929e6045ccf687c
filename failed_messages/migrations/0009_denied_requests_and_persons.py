from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("failed_messages", "0008_returned")]

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
                    ("person", "Person"),
                ],
                max_length=20,
            ),
        ),
    ]
