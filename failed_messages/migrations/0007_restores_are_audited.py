from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("failed_messages", "0006_covering_indexes")]

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
                ],
                max_length=20,
            ),
        ),
    ]
