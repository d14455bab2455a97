"""What each source last said of each row, so that an import never writes over what people corrected."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0003_documents"),
    ]

    operations = [
        migrations.CreateModel(
            name="SourceRow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "source", "entity", "object_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("source", models.CharField(max_length=80)),
                ("entity", models.CharField(max_length=30)),
                ("object_id", models.UUIDField()),
                ("digest", models.BigIntegerField()),
            ],
        ),
    ]
