"""What each row's source last said, so that an import never writes over people's edits."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0003_documents"),
    ]

    operations = [
        migrations.AddField("taxonomy", "source_digest", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("taxonomyterm", "source_digest", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("program", "source_digest", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("service", "source_digest", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("location", "source_digest", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("serviceatlocation", "source_digest", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("address", "source_digest", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("contact", "source_digest", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("phone", "source_digest", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("schedule", "source_digest", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("language", "source_digest", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("funding", "source_digest", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("accessibility", "source_digest", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("costoption", "source_digest", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("requireddocument", "source_digest", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("servicearea", "source_digest", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("unit", "source_digest", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("servicecapacity", "source_digest", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("url", "source_digest", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("attribute", "source_digest", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("metadata", "source_digest", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("metatabledescription", "source_digest", models.BigIntegerField(editable=False, null=True)),
    ]
