from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inventory", "0004_withdrawn_products")]

    operations = [
        migrations.AddField(
            model_name="reservation",
            name="shipped_anyway",
            field=models.CharField(max_length=1000, null=True, verbose_name="shipped anyway"),
        )
    ]
