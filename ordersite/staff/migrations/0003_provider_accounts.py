"""Users of the OpenID Connect provider are known by what never changes."""

import django_mongodb_backend.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("staff", "0002_encrypted_secrets")]

    operations = [
        migrations.CreateModel(
            name="ProviderAccount",
            fields=[
                (
                    "user",
                    django_mongodb_backend.fields.ObjectIdField(
                        db_column="_id", primary_key=True, serialize=False
                    ),
                ),
                ("issuer", models.CharField(max_length=500)),
                ("subject", models.CharField(max_length=255)),
            ],
            options={"db_table": "staff_provider_accounts", "default_permissions": ()},
        ),
    ]
