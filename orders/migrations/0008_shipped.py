from django.db import migrations, models


def mark(apps, schema_editor):
    """Orders that were shipped under an earlier release."""
    schema_editor.connection.database["orders"].update_many(
        {"status": {"$in": ["placed", "confirmed"]}, "ledger.inventory.state": "shipped"},
        {"$set": {"status": "shipped"}},
    )


def unmark(apps, schema_editor):
    orders = schema_editor.connection.database["orders"]
    orders.update_many(
        {"status": "shipped", "ledger.billing.state": "invoiced"}, {"$set": {"status": "confirmed"}}
    )
    orders.update_many({"status": "shipped"}, {"$set": {"status": "placed"}})


class Migration(migrations.Migration):
    dependencies = [("orders", "0007_keys_have_owners")]

    operations = [
        migrations.AlterField(
            model_name="order",
            name="status",
            field=models.CharField(
                choices=[
                    ("placed", "Placed"),
                    ("confirmed", "Confirmed"),
                    ("shipped", "Shipped"),
                    ("rejected", "Rejected"),
                    ("cancelled", "Cancelled"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="shipped_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunPython(mark, unmark),
    ]
