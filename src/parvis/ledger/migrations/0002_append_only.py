from django.db import migrations


class Migration(migrations.Migration):
    """The sixteen heads, and the lock on what is written: not even the owner updates, deletes or truncates events."""

    dependencies = [("ledger", "0001_initial")]
    operations = [
        migrations.RunSQL(
            r"""
            INSERT INTO ledger_head (chain, position, hash)
                SELECT chain, 0, decode(repeat('00', 32), 'hex') FROM generate_series(0, 15) AS chain;
            CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'the ledger is added to, never changed' USING ERRCODE = 'insufficient_privilege';
            END $$;
            CREATE TRIGGER ledger_event_append_only BEFORE UPDATE OR DELETE ON ledger_event
                FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
            CREATE TRIGGER ledger_event_no_truncate BEFORE TRUNCATE ON ledger_event
                FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
            """,
            """
            DROP TRIGGER ledger_event_append_only ON ledger_event;
            DROP TRIGGER ledger_event_no_truncate ON ledger_event;
            DROP FUNCTION ledger_refuse();
            DELETE FROM ledger_head;
            """,
        )
    ]
