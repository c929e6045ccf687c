import django_mongodb_backend.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="SecondFactor",
            fields=[
                (
                    "user",
                    django_mongodb_backend.fields.ObjectIdField(
                        db_column="_id", primary_key=True, serialize=False
                    ),
                ),
                ("secret", models.CharField(max_length=32)),
                ("confirmed", models.BooleanField()),
                ("last_step", models.BigIntegerField()),
                ("wrong", models.PositiveIntegerField()),
                ("wrong_at", models.DateTimeField(null=True)),
            ],
            options={"db_table": "staff_second_factors", "default_permissions": ()},
        ),
    ]
