from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Events that the database hangs in their chains itself, an index of looks, and the copy of the anchors."""

    dependencies = [
        ("ledger", "0002_append_only"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("event", "form", models.SmallIntegerField(db_default=1, default=1)),
        migrations.AddIndex(
            "event",
            models.Index(fields=["object_id", "at"], name="ledger_look", condition=models.Q(code__endswith=".seen")),
        ),
        migrations.CreateModel(
            name="Anchor",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("line", models.TextField()),
            ],
        ),
        migrations.RunSQL(
            r"""
            CREATE TRIGGER ledger_anchor_append_only BEFORE UPDATE OR DELETE ON ledger_anchor
                FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
            CREATE TRIGGER ledger_anchor_no_truncate BEFORE TRUNCATE ON ledger_anchor
                FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
            -- a head is updated by every write: room on its page, so that no index is touched
            ALTER TABLE ledger_head SET (fillfactor = 20);
            -- Form 2 of an event's hash; chain.seal_text says the same in Python.
            -- Several heads are locked in chain order, so that two writers never wait in a circle.
            CREATE FUNCTION ledger_append(
                p_at timestamptz, p_actor uuid, p_label text, p_chains smallint[], p_codes text[], p_types text[],
                p_ids uuid[], p_befores text[], p_afters text[], p_reasons text[]
            ) RETURNS void LANGUAGE plpgsql AS $$
            DECLARE
                v_position bigint; v_previous bytea; v_hash bytea; v_before jsonb; v_after jsonb;
                v_same text := '|' || (extract(epoch FROM p_at) * 1000000)::bigint || '|' || coalesce(p_actor::text, '')
                    || '|' || octet_length(p_label) || ':' || p_label;
            BEGIN
                IF cardinality(p_ids) > 1 THEN
                    PERFORM 1 FROM ledger_head WHERE chain = ANY (p_chains) ORDER BY chain FOR UPDATE;
                END IF;
                FOR n IN 1 .. cardinality(p_ids) LOOP
                    v_before := p_befores[n]::jsonb;
                    v_after := p_afters[n]::jsonb;
                    SELECT position + 1, hash INTO STRICT v_position, v_previous
                        FROM ledger_head WHERE chain = p_chains[n] FOR UPDATE;
                    v_hash := sha256(v_previous || convert_to(
                        '2|' || p_chains[n] || '|' || v_position || '|' || p_ids[n] || v_same
                        || octet_length(p_codes[n]) || ':' || p_codes[n]
                        || octet_length(p_types[n]) || ':' || p_types[n]
                        || coalesce(octet_length(v_before::text) || ':' || v_before, '-')
                        || coalesce(octet_length(v_after::text) || ':' || v_after, '-')
                        || octet_length(p_reasons[n]) || ':' || p_reasons[n], 'UTF8'));
                    INSERT INTO ledger_event (chain, position, at, actor_id, actor_label, code, object_type, object_id,
                                              before, after, reason, form, previous_hash, hash)
                        VALUES (p_chains[n], v_position, p_at, p_actor, p_label, p_codes[n], p_types[n], p_ids[n],
                                v_before, v_after, p_reasons[n], 2, v_previous, v_hash);
                    UPDATE ledger_head SET position = v_position, hash = v_hash WHERE chain = p_chains[n];
                END LOOP;
            END $$;
            """,
            """
            DROP FUNCTION ledger_append;
            ALTER TABLE ledger_head RESET (fillfactor);
            DROP TRIGGER ledger_anchor_append_only ON ledger_anchor;
            DROP TRIGGER ledger_anchor_no_truncate ON ledger_anchor;
            """,
        ),
    ]
