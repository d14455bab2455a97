"""What each row's source last said, so that an import never writes over people's edits."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orgs", "0002_membership_offers"),
    ]

    operations = [
        migrations.AddField("organization", "source_digest", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField("organizationidentifier", "source_digest", models.BigIntegerField(editable=False, null=True)),
    ]
