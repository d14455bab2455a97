from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations


class Migration(migrations.Migration):
    """Trigrams find words with typing errors; the extension lives in the public schema, once for all cities."""

    dependencies = [("cities", "0001_initial")]
    operations = [TrigramExtension()]
