from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Erasure",
            fields=[
                (
                    "user_id",
                    models.BigIntegerField(
                        db_column="_id", primary_key=True, serialize=False, verbose_name="user id"
                    ),
                ),
                ("pseudonym", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("by", models.CharField(max_length=150)),
                ("remaining", models.PositiveIntegerField(default=0)),
            ],
            options={
                "db_table": "erasures",
                "permissions": [
                    ("export_personal_data", "Can export everything that is kept of a person"),
                    ("erase_personal_data", "Can erase what is kept of a person"),
                ],
                "default_permissions": (),
            },
        ),
    ]
