import django_mongodb_backend.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Attempt",
            fields=[
                (
                    "id",
                    django_mongodb_backend.fields.ObjectIdAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("milliseconds", models.PositiveIntegerField()),
                ("headers", models.TextField()),
                ("status", models.PositiveIntegerField(null=True)),
                ("answer", models.TextField(default="")),
                ("error", models.CharField(default="", max_length=300)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Secret",
            fields=[
                (
                    "id",
                    django_mongodb_backend.fields.ObjectIdAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("value", models.CharField(max_length=100)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.CharField(
                        db_column="_id",
                        max_length=32,
                        primary_key=True,
                        serialize=False,
                        verbose_name="id",
                    ),
                ),
                ("endpoint", models.CharField(max_length=16)),
                ("message_id", models.CharField(max_length=40, verbose_name="webhook-id")),
                ("type", models.CharField(max_length=100)),
                ("order_id", models.CharField(default="", max_length=100, verbose_name="order id")),
                ("user_id", models.BigIntegerField(null=True, verbose_name="user id")),
                ("body", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("delivered", "Delivered"),
                            ("failed", "Failed"),
                        ],
                        max_length=9,
                    ),
                ),
                ("due_at", models.DateTimeField()),
                ("tries", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "attempts",
                    django_mongodb_backend.fields.EmbeddedModelArrayField(
                        embedded_model="webhooks.Attempt"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "db_table": "webhook_deliveries",
                "ordering": ["-created_at", "-id"],
                "default_permissions": ("view", "change"),
                "indexes": [
                    models.Index(
                        fields=["endpoint", "state", "due_at"], name="webhook_deliveries_due"
                    ),
                    models.Index(
                        fields=["endpoint", "-created_at", "-id"], name="webhook_deliveries_newest"
                    ),
                    models.Index(fields=["-created_at", "-id"], name="webhook_deliveries_all"),
                    models.Index(fields=["order_id"], name="webhook_deliveries_of_order"),
                    models.Index(
                        fields=["user_id", "created_at"], name="webhook_deliveries_of_user"
                    ),
                    models.Index(fields=["settled_at"], name="webhook_deliveries_settled"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Endpoint",
            fields=[
                (
                    "id",
                    models.CharField(
                        db_column="_id",
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                        verbose_name="id",
                    ),
                ),
                ("user_id", models.BigIntegerField(null=True, verbose_name="user id")),
                ("url", models.CharField(max_length=2000, verbose_name="URL")),
                ("description", models.CharField(default="", max_length=200)),
                (
                    "types",
                    django_mongodb_backend.fields.ArrayField(
                        base_field=models.CharField(max_length=100)
                    ),
                ),
                (
                    "secrets",
                    django_mongodb_backend.fields.EmbeddedModelArrayField(
                        embedded_model="webhooks.Secret"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("enabled", "Enabled"), ("disabled", "Disabled")], max_length=8
                    ),
                ),
                ("reason", models.CharField(default="", max_length=300)),
                ("disabled_at", models.DateTimeField(null=True, verbose_name="disabled")),
                ("is_untold", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("created_by", models.CharField(max_length=150)),
                ("fingerprint", models.CharField(default="", editable=False, max_length=64)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("failing_since", models.DateTimeField(null=True)),
                ("last_success_at", models.DateTimeField(null=True, verbose_name="last success")),
                ("held_until", models.DateTimeField(null=True)),
                ("next_at", models.DateTimeField(null=True)),
                ("woken", models.PositiveIntegerField(default=0)),
            ],
            options={
                "db_table": "webhook_endpoints",
                "ordering": ["-created_at", "-id"],
                "default_permissions": ("view", "change"),
                "indexes": [
                    models.Index(fields=["next_at"], name="webhook_endpoints_next"),
                    models.Index(fields=["-created_at", "-id"], name="webhook_endpoints_newest"),
                    models.Index(
                        fields=["user_id", "-created_at", "-id"], name="webhook_endpoints_of_user"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="NotedOrder",
            fields=[
                (
                    "id",
                    models.CharField(
                        db_column="_id",
                        max_length=100,
                        primary_key=True,
                        serialize=False,
                        verbose_name="order id",
                    ),
                ),
                ("user_id", models.BigIntegerField(verbose_name="user id")),
                ("at", models.DateTimeField()),
            ],
            options={
                "db_table": "webhook_noted_orders",
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["at"], name="webhook_noted_orders_at"),
                    models.Index(fields=["user_id"], name="webhook_noted_orders_of_user"),
                ],
            },
        ),
    ]
