"""What everybody may read is read by a database role that can read nothing else."""

from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import psycopg
from django.db import connection
from psycopg.conninfo import make_conninfo

from tests.conftest import URLS
from tests.e2e.town import Town


def test_open_pages_are_read_through_the_public_role(in_town: Town) -> None:
    host = urlsplit(in_town.url)
    asked = Request(f"http://127.0.0.1:{host.port}/fr/?q=cours", headers={"Host": host.netloc})
    with urlopen(asked) as answer:
        assert answer.status == 200
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND datname = current_database()",
            [URLS.roles().public],
        )
        assert cursor.fetchone()[0] > 0


def test_the_public_role_reads_services_and_no_person(in_town: Town) -> None:
    url = make_conninfo(URLS.public, dbname=connection.settings_dict["NAME"])
    with psycopg.connect(url, autocommit=True) as public:
        public.execute(f'SET search_path = "{in_town.city.schema_name}"')
        found = public.execute("SELECT count(*) FROM directory_service").fetchone()
        assert found and found[0] > 0
        for table in ("cases_person", "cases_access", "accounts_user", "accounts_session", "ledger_event"):
            try:
                public.execute(f"SELECT 1 FROM {table} LIMIT 1")
            except psycopg.errors.InsufficientPrivilege:
                continue
            raise AssertionError(f"the public role reads {table}")
