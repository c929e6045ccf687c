from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_tax_and_credit_notes")]

    operations = [
        migrations.AlterField(
            model_name="invoice",
            name="state",
            field=models.CharField(
                choices=[
                    ("issued", "Issued"),
                    ("credited", "Credited"),
                    ("void", "Void"),
                    ("lost", "Lost"),
                ],
                max_length=8,
            ),
        ),
    ]
