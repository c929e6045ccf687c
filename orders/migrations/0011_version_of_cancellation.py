from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0010_currencies"),
    ]

    operations = [
        migrations.AddField(
            model_name="cancellation",
            name="version",
            field=models.IntegerField(null=True),
        ),
    ]
