from django.db import migrations


class Migration(migrations.Migration):
    """What Django has no field for: opening times as ranges; and the one row that counts changes."""

    dependencies = [("directory", "0001_initial")]
    operations = [
        migrations.RunSQL(
            """
            ALTER TABLE directory_opening ADD COLUMN open_times tstzmultirange NOT NULL DEFAULT '{}';
            INSERT INTO directory_revision (id, number, at) VALUES (1, 1, now());
            """,
            """
            ALTER TABLE directory_opening DROP COLUMN open_times;
            DELETE FROM directory_revision;
            """,
        )
    ]
