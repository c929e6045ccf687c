from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="endpoint",
            name="again_since",
            field=models.DateTimeField(null=True, verbose_name="sent again since"),
        ),
        migrations.AddField(
            model_name="endpoint",
            name="again_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="endpoint",
            index=models.Index(fields=["again_since"], name="webhook_endpoints_again"),
        ),
    ]
