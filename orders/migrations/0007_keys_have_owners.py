from django.db import migrations


class Migration(migrations.Migration):
    """Changes nothing: when it was applied says until when `orders.unowned_keys` searches."""

    dependencies = [("orders", "0006_awaited")]

    operations = []
