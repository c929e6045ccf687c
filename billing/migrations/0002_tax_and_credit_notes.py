from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0001_initial"),
    ]

    operations = [
        migrations.RenameField("invoicecounter", "year", "series"),
        migrations.AlterField(
            model_name="invoicecounter",
            name="series",
            field=models.CharField(
                db_column="_id", max_length=8, primary_key=True, serialize=False
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="credit_note_number",
            field=models.CharField(max_length=20, null=True, unique=True),
        ),
        migrations.AddField(
            model_name="invoice",
            name="credit_reason",
            field=models.CharField(max_length=500, null=True),
        ),
        migrations.AddField(
            model_name="invoice",
            name="tax",
            field=models.DecimalField(decimal_places=2, default=0, max_digits=20),
        ),
        migrations.AddField(
            model_name="invoice",
            name="tax_rate_percent",
            field=models.DecimalField(
                decimal_places=2, default=0, max_digits=5, verbose_name="tax rate in percent"
            ),
        ),
    ]
