from django.db import migrations


class Migration(migrations.Migration):
    """The cache that rate limits and lock-outs count in: a table, so that every process counts together."""

    dependencies = [("kit", "0001_initial")]
    operations = [
        migrations.RunSQL(
            """
            CREATE UNLOGGED TABLE kit_cache (
                cache_key varchar(255) PRIMARY KEY, value text NOT NULL, expires timestamptz NOT NULL);
            CREATE INDEX kit_cache_expires ON kit_cache (expires);
            """,
            "DROP TABLE kit_cache",
        )
    ]
