import datetime

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0002_stock_movements"),
    ]

    operations = [
        migrations.AddField(
            model_name="reservation",
            name="unheard_since",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="reservation",
            index=models.Index(
                condition=models.Q(
                    ("unheard_since__gt", datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC))
                ),
                fields=["unheard_since"],
                name="reservations_unheard",
            ),
        ),
    ]
