from django.db import migrations


class Migration(migrations.Migration):
    """A bulk replay is leased as everything else is, see `runtime.lease`."""

    dependencies = [
        ("failed_messages", "0008_returned"),
    ]

    operations = [
        migrations.RemoveField(model_name="replayjob", name="leased_until"),
    ]
