from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0009_retry_notes")]

    operations = [
        migrations.AlterField(
            model_name="orderline",
            name="unit_price",
            field=models.DecimalField(decimal_places=4, max_digits=20),
        ),
        migrations.AlterField(
            model_name="order",
            name="total",
            field=models.DecimalField(decimal_places=4, max_digits=26),
        ),
    ]
