"""Behind a transaction pooler: the city and the context belong to the transaction, never to the server's session."""

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from psycopg.conninfo import conninfo_to_dict

from parvis.cases.models import Person
from parvis.kit.acting import acting
from parvis.orgs.models import Organization
from tests.accounts.people import open_account
from tests.cases.story import AMINA, opened
from tests.conftest import URLS

PGBOUNCER = shutil.which("pgbouncer")


@pytest.fixture
def pooler(tmp_path: Path, django_db_setup: None) -> Iterator[dict[str, str]]:
    """PgBouncer with two server connections in transaction mode. Yields the settings of a connection through it."""
    if not PGBOUNCER:
        pytest.skip("no pgbouncer on this machine (Debian: apt install pgbouncer)")
    given = conninfo_to_dict(URLS.app)
    name = connection.settings_dict["NAME"]
    (tmp_path / "users.txt").write_text(f'"{given["user"]}" "{given["password"]}"\n')
    (tmp_path / "pgbouncer.ini").write_text(
        f"[databases]\n{name} = host={given['host']} port={given['port']} dbname={name}\n[pgbouncer]\n"
        f"listen_addr =\nunix_socket_dir = {tmp_path}\nlisten_port = 6432\nauth_type = plain\n"
        f"auth_file = {tmp_path}/users.txt\npool_mode = transaction\ndefault_pool_size = 2\n"
        f"max_client_conn = 100\nclient_login_timeout = 10\nlogfile = {tmp_path}/log\n"
    )
    command = [str(PGBOUNCER), str(tmp_path / "pgbouncer.ini")]
    if Path("/proc/self").stat().st_uid == 0:  # it refuses to run as root
        shutil.chown(tmp_path, "nobody")
        for parent in [tmp_path, *tmp_path.parents][:-2]:
            parent.chmod(parent.stat().st_mode | 0o011)
        # the embedded server's socket stands in its data directory, which is root's alone
        may = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *may, *command]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(100):
        if (tmp_path / ".s.PGSQL.6432").exists():
            break
        time.sleep(0.1)
    yield {"HOST": str(tmp_path), "PORT": "6432"}
    process.terminate()
    process.wait()


def through(pooler: dict[str, str]) -> dict[str, Any]:
    """The connection of this thread goes through the pooler from now on; returns what it was before."""
    before = {key: connection.settings_dict[key] for key in pooler}
    connection.close()
    connection.settings_dict.update(pooler)
    return before


def test_threads_of_two_cities_behind_a_pooler_see_their_own(pooler: Any, fresh_city: Any) -> None:
    alice = open_account("alice", "agent")
    opened(alice)
    Organization.objects.create(name="Essai", changed_at="2026-11-23T00:00Z")
    other = fresh_city.__class__.objects.get(schema_name="montreal")
    before = through(pooler)
    wrong: list[str] = []
    settings = dict(connection.settings_dict)

    def work(number: int) -> None:
        connection.settings_dict.update(settings)
        for turn in range(25):
            connection.set_tenant(fresh_city if (number + turn) % 2 else other)
            mine = (number + turn) % 2
            if Organization.objects.filter(name="Essai").count() != mine:
                wrong.append(f"thread {number}: another city's rows outside a transaction")
            try:
                with acting(alice), transaction.atomic():
                    seen = Person.objects.count() if mine else 0
                    if mine and seen != 1:
                        wrong.append(f"thread {number}: {seen} persons for Alice")
                with transaction.atomic():
                    if Person.objects.count() or mine:  # an empty table asks nobody; a row does, and that is an error
                        wrong.append(f"thread {number}: people without a context")
            except Exception as error:
                if "no security context" not in str(error):
                    wrong.append(str(error))
        connection.close()

    try:
        connection.set_tenant(fresh_city)
        Organization.objects.count()
        assert connection.pooled, "the pooler was recognized"
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong, wrong[:5]
        with connection.cursor() as cursor:  # the control: what is set in a session does leak through a pooler
            cursor.execute("SHOW search_path")
            assert fresh_city.schema_name in cursor.fetchone()[0]
    finally:
        connection.close()
        connection.settings_dict.update(before)
        connection.pooled = False
        connection.set_tenant(fresh_city)
    with acting(alice), transaction.atomic():
        assert Person.objects.get().name == AMINA.name
    assert not connection.pooled
