import django.core.validators
from django.db import migrations, models

import inventory.frozen


class Migration(migrations.Migration):
    dependencies = [("inventory", "0005_shipped_anyway")]

    operations = [
        migrations.AlterField(
            model_name="product",
            name="price",
            field=models.DecimalField(
                decimal_places=4,
                max_digits=13,
                validators=[django.core.validators.MinValueValidator(0)],
            ),
        ),
        migrations.AlterField(
            model_name="product",
            name="currency",
            field=models.CharField(default=inventory.frozen.shop_currency, max_length=3),
        ),
    ]
