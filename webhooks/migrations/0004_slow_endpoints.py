from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0003_encrypted_secrets")]

    operations = [
        migrations.AddField(
            model_name="endpoint",
            name="is_slow",
            field=models.BooleanField(default=False),
        ),
    ]
