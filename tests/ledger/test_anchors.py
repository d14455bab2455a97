"""Anchors: they find a rewrite of the ledger that fits in itself; and what holds the anchors themselves."""

import datetime as dt
import sys
import uuid
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import DatabaseError, connection, transaction

from parvis.kit.jobs import sweeps
from parvis.kit.models import OutboxMail
from parvis.ledger import anchors
from parvis.ledger.actions import anchor, record
from parvis.ledger.models import Anchor
from parvis.ledger.queries import Break, Loose, Note, verify
from parvis.orgs.models import Organization
from tests.ledger.attack import cut_tail, seal_again, superuser

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


@pytest.fixture
def anchored(fresh_city: Any, settings: Any, tmp_path: Path) -> Any:
    """A city with nine events and three anchors, in a home of its own."""
    settings.HOME = tmp_path
    settings.ANCHOR_TO = ""
    for turn in range(3):
        write(3)
        assert anchor(NOW + turn * anchors.EVERY) == turn + 1
    return fresh_city


def write(times: int) -> None:
    with transaction.atomic():
        for number in range(times):
            alice = Organization(pk=uuid.uuid4(), name="Alice")
            record("orgs.organization.added", alice, by="test", after={"n": number})


def file() -> Path:
    return anchors.file_of(connection.schema_name)


def held() -> list[Any]:
    """All that verifying against the anchors says, without the number of events."""
    return list(verify(file=file(), keys=frozenset({anchors.public_key()})))[:-1]


def alone() -> list[Any]:
    return list(verify())[:-1]


def test_an_anchored_ledger_is_whole_and_goes_on(anchored: Any) -> None:
    assert held() == []
    write(5)
    assert held() == []  # what came after the last anchor is not missed
    assert Anchor.objects.count() == 3 == len(file().read_bytes().splitlines())
    assert file().stat().st_mode & 0o077 == 0


REWRITES: dict[str, Callable[[Any], Any]] = {
    "a value": lambda attacker: attacker.execute(
        "UPDATE ledger_event SET after = '{\"n\": 99}' WHERE id = (SELECT min(id) FROM ledger_event)"
    ),
    "who did it": lambda attacker: attacker.execute(
        "UPDATE ledger_event SET actor_label = 'me' WHERE id = (SELECT max(id) FROM ledger_event)"
    ),
    "the tail with its head": cut_tail,
    "everything": lambda attacker: attacker.execute("DELETE FROM ledger_event"),
}


@pytest.mark.parametrize("name", REWRITES)
def test_a_rewrite_that_fits_in_itself_is_found_by_the_anchors_alone(anchored: Any, name: str) -> None:
    with superuser(anchored.schema_name) as attacker:
        REWRITES[name](attacker)
        seal_again(attacker)
    assert alone() == []  # the control: without anchors nothing can be seen
    assert any(isinstance(found, Break) for found in held())


def test_the_next_anchor_already_says_that_something_is_lacking(
    anchored: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert anchor(NOW + dt.timedelta(hours=1), always=True) == 4
    assert "lacks" not in caplog.text
    with superuser(anchored.schema_name) as attacker:
        cut_tail(attacker)
    assert anchor(NOW + dt.timedelta(hours=2)) == 5  # and it goes on
    assert "lacks what anchor 4 says" in caplog.text
    assert any(isinstance(found, Break) for found in held())


def changed(lines: list[bytes], number: int, **values: Any) -> list[bytes]:
    said = orjson.loads(lines[number]) | values
    return [*lines[:number], orjson.dumps(said), *lines[number + 1 :]]


def signed_by_another(lines: list[bytes]) -> list[bytes]:
    said = orjson.loads(lines[2])
    forged = anchors.sign(
        Ed25519PrivateKey.generate(), city=said["city"], number=3, at=NOW, heads=said["heads"],
        previous=said["previous"],
    )  # fmt: skip
    return [*lines[:2], forged]


FILES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "a head changed": lambda lines: changed(lines, 2, heads=[[0, 1, "00" * 32]]),
    "another time": lambda lines: changed(lines, 0, at="2020-01-01T00:00:00+00:00"),
    "signed by another key": signed_by_another,
    "no JSON": lambda lines: [*lines[:2], b"{"],
    "two lines exchanged": lambda lines: [lines[0], lines[2], lines[1]],
    "a line taken out": lambda lines: [lines[0], lines[2]],
    "a line twice": lambda lines: [*lines, lines[2]],
    "the first line gone": lambda lines: lines[1:],
    "the last line gone": lambda lines: lines[:-1],
    "nothing left": lambda lines: [],
}


def test_a_file_of_anchors_that_was_touched_is_found(anchored: Any) -> None:
    whole = file().read_bytes()
    for name, touch in FILES.items():
        assert held() == [], name
        file().write_bytes(b"".join(line + b"\n" for line in touch(whole.splitlines())))
        assert any(isinstance(found, Loose) for found in held()), name
        file().write_bytes(whole)


def test_a_file_of_another_city_proves_nothing_here(anchored: Any) -> None:
    key = anchors.signing_key()
    heads = [(chain, 0, anchors.NOTHING) for chain in range(16)]
    file().write_bytes(anchors.sign(key, city="elsewhere", number=1, at=NOW, heads=heads, previous="0" * 64) + b"\n")
    assert any("another city" in found.problem for found in held() if isinstance(found, Loose))


def test_file_and_table_betray_each_other(anchored: Any) -> None:
    """Whoever cuts the ledger and one of the two places where anchors are kept is told by the other."""
    lines = file().read_bytes().splitlines()
    with superuser(anchored.schema_name) as attacker:
        attacker.execute("DELETE FROM ledger_anchor WHERE number = 2")
        assert [found.number for found in held()] == [2]
        attacker.execute("INSERT INTO ledger_anchor VALUES (2, %s)", [lines[1].decode()])
        assert held() == []
        attacker.execute("UPDATE ledger_anchor SET line = line || ' ' WHERE number = 2")
        assert [found.number for found in held()] == [2]
        attacker.execute("DELETE FROM ledger_anchor")
        assert len(held()) == 3
    file().unlink()
    # the control: with both gone nothing can be said of the ledger, and that is said
    assert [found.problem for found in held()] == ["there is no anchor: nothing is held against the ledger"]


def test_a_cut_ledger_and_a_cut_file_leave_the_table(anchored: Any) -> None:
    with superuser(anchored.schema_name) as attacker:
        cut_tail(attacker)
    file().write_bytes(b"".join(line + b"\n" for line in file().read_bytes().splitlines()[:2]))
    assert held() == [Loose(3, "is in the table and not in the file: the file was cut")]


def test_the_table_of_anchors_is_added_to_only(anchored: Any) -> None:
    for statement in ("UPDATE ledger_anchor SET line = ''", "DELETE FROM ledger_anchor", "TRUNCATE ledger_anchor"):
        with pytest.raises(DatabaseError), connection.cursor() as cursor:
            cursor.execute(statement)


def test_a_maker_that_was_killed_is_mended_by_the_next(anchored: Any) -> None:
    said = orjson.loads(file().read_bytes().splitlines()[2])
    line = anchors.sign(
        anchors.signing_key(), city=anchored.schema_name, number=4, at=NOW, heads=said["heads"],
        previous=anchors.digest(anchors.last(file())),
    )  # fmt: skip
    with file().open("ab") as target:
        target.write(line + b"\n" + line[:100])  # the file has it, the table not yet; and the next was cut by a crash
    assert held() == []
    write(1)
    assert anchor(NOW) == 5
    assert held() == [] and Anchor.objects.count() == 5


def test_what_somebody_else_wrote_does_not_stop_the_anchors(anchored: Any) -> None:
    with file().open("ab") as target:
        target.write(b'{"number": 99999999999999999999999}\n')
    write(1)
    assert anchor(NOW + dt.timedelta(hours=1)) == 4
    assert [type(found) for found in held()][:1] == [Loose]


def test_a_lost_key_is_replaced_and_the_old_one_still_believed_on_request(anchored: Any, tmp_path: Path) -> None:
    old = anchors.public_key()
    anchors.Secrets(tmp_path).path.unlink()
    assert anchor(NOW + dt.timedelta(hours=1)) == 4
    assert [found.number for found in held()] == [1, 2, 3]
    assert list(verify(file=file(), keys=frozenset({old, anchors.public_key()})))[:-1] == []


def test_nothing_new_needs_no_anchor_until_a_day_has_gone(anchored: Any) -> None:
    last = NOW + 2 * anchors.EVERY
    assert anchor(last + anchors.EVERY) == 0
    assert anchor(last + anchors.EVERY, always=True) == 4
    assert anchor(last + dt.timedelta(days=2)) == 5
    assert sweeps.known["anchor the ledger"].every == dt.timedelta(minutes=10)


def test_a_full_disk_leaves_neither_line_nor_row(anchored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = file().read_bytes()

    def refuse(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("parvis.ledger.anchors.os.fsync", refuse)
    write(1)
    with pytest.raises(OSError, match="No space"):
        anchor(NOW)
    assert file().read_bytes() == before and Anchor.objects.count() == 3


def test_a_restored_backup_is_set_aside_by_a_signed_word(anchored: Any) -> None:
    with superuser(anchored.schema_name) as attacker:  # what a backup made after the first anchor gives back
        attacker.execute("DELETE FROM ledger_event WHERE id > (SELECT min(id) + 2 FROM ledger_event)")
        attacker.execute("DELETE FROM ledger_anchor WHERE number > 1")
        seal_again(attacker)
    assert any(isinstance(found, Break) for found in held())
    assert anchor(NOW + dt.timedelta(hours=1), restored="the disk died") == 4
    assert [type(found) for found in held()] == [Note]
    assert "2 to 3" in held()[0].text and "the disk died" in held()[0].text
    with superuser(anchored.schema_name) as attacker:  # the control: what the first anchor holds is held still
        cut_tail(attacker)
    assert any(isinstance(found, Break) for found in held())


# ---- outside


def test_a_folder_is_given_every_line_it_lacks(anchored: Any, settings: Any, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    settings.ANCHOR_TO = str(outside)
    write(1)
    assert anchor(NOW) == 4
    copy = outside / file().name
    assert copy.read_bytes() == file().read_bytes()
    copy.write_bytes(b"".join(line + b"\n" for line in copy.read_bytes().splitlines()[:2]))  # it was away for a while
    write(1)
    anchor(NOW)
    assert copy.read_bytes() == file().read_bytes()
    # the copy judges a ledger whose own file was made anew with the installation's key
    assert list(verify(file=copy, keys=frozenset({anchors.public_key()})))[:-1] == []


def test_a_folder_that_is_away_does_not_stop_the_anchor(
    anchored: Any, settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "plain").write_text("")
    settings.ANCHOR_TO = str(tmp_path / "plain" / "folder")
    write(1)
    assert anchor(NOW) == 4 and "did not leave" in caplog.text
    assert held() == []


def test_an_anchor_leaves_by_mail(anchored: Any, settings: Any) -> None:
    settings.EMAIL_BACKEND = "parvis.kit.outbox.Backend"
    settings.ANCHOR_TO = "mailto:archive@example.org"
    write(1)
    anchor(NOW)
    mail = OutboxMail.objects.get()
    assert mail.recipients == ["archive@example.org"]
    (_body, attached) = message_from_bytes(bytes(mail.message)).get_payload()
    assert attached.get_payload(decode=True) == anchors.last(file()) + b"\n"


def test_an_anchor_is_given_to_a_command(anchored: Any, settings: Any, tmp_path: Path) -> None:
    target = tmp_path / "given"
    program = f"import sys; open({str(target)!r}, 'a').write(sys.stdin.read())"
    settings.ANCHOR_TO = f'command:{sys.executable} -c "{program}"'
    write(1)
    anchor(NOW)
    assert target.read_bytes() == anchors.last(file()) + b"\n"


# ---- the command


def test_the_command_compares_with_the_anchors(anchored: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from parvis.site.commands import ledger

    monkeypatch.setattr(ledger, "open_office", lambda role: None)
    schema, key = anchored.schema_name, anchors.public_key()

    def run(command: Any, *arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(command, arguments)
        connection.set_tenant(anchored)
        return result.exit_code, result.stdout

    write(1)
    code, output = run(ledger.anchor, "--city", schema)
    assert code == 0 and "anchor 4" in output and key in output
    assert run(ledger.verify, "--city", schema, "--anchors") == (0, f"{schema}\t10 events\twhole\n")
    copy = tmp_path / "kept.jsonl"
    copy.write_bytes(file().read_bytes())
    with superuser(schema) as attacker:
        attacker.execute("UPDATE ledger_event SET actor_label = 'me' WHERE id = (SELECT min(id) FROM ledger_event)")
        seal_again(attacker)
    assert run(ledger.verify, "--city", schema)[0] == 0  # the control
    for where in (["--anchors", "--city", schema], ["--anchors", str(copy)]):
        code, output = run(ledger.verify, *where)
        assert code == 1 and "is not what stood there when anchor 1 was made" in output and "BROKEN" in output
    # another installation's key does not believe them until it is told to
    anchors.Secrets(tmp_path).path.unlink()
    assert "not the installation's" in run(ledger.verify, "--anchors", str(copy))[1]
    assert "not the installation's" not in run(ledger.verify, "--anchors", str(copy), "--key", key)[1]
