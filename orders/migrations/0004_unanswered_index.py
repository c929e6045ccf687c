from django.db import migrations

INDEX = "orders_unanswered"
IS_UNANSWERED = {
    "$or": [{"ledger.inventory.state": "pending"}, {"ledger.billing.state": "pending"}]
}


def create(apps, schema_editor):
    schema_editor.connection.database["orders"].create_index(
        [("updated_at", 1)], name=INDEX, partialFilterExpression=IS_UNANSWERED
    )


def drop(apps, schema_editor):
    schema_editor.connection.database["orders"].drop_index(INDEX)


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0003_cancellation_and_steps"),
    ]

    operations = [migrations.RunPython(create, drop)]
