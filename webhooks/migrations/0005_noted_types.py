from django.db import migrations, models
from django_mongodb_backend.fields import ArrayField


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0004_slow_endpoints")]

    operations = [
        migrations.AddField(
            model_name="notedorder",
            name="types",
            field=ArrayField(models.CharField(max_length=100), null=True),
        ),
    ]
