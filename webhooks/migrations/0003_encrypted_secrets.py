from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0002_sent_again")]

    operations = [
        migrations.AlterField(
            model_name="secret",
            name="value",
            field=models.CharField(max_length=200),
        ),
    ]
