from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_lost_numbers")]

    operations = [
        migrations.AlterField(
            model_name="invoiceline",
            name="amount",
            field=models.DecimalField(decimal_places=4, max_digits=24),
        ),
        migrations.AlterField(
            model_name="invoice",
            name="total",
            field=models.DecimalField(decimal_places=4, max_digits=24),
        ),
        migrations.AlterField(
            model_name="invoice",
            name="tax",
            field=models.DecimalField(decimal_places=4, default=0, max_digits=24),
        ),
    ]
