from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("failed_messages", "0016_acts_alone")]

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
                    ("key", "API key"),
                    ("retry", "Waiting retry"),
                    ("bulk discard", "Bulk discard"),
                    ("user", "User"),
                    ("role", "Role"),
                    ("order", "Order"),
                ],
                max_length=20,
            ),
        ),
    ]
