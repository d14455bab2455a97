"""Anchors: the heads of a city's chains at one moment, signed, in a file that the database can't reach.

One JSON line each, under PARVIS_HOME/anchors/<city>.jsonl. A line carries its number, the hash of the line before it,
and an Ed25519 signature by the installation's key, which is in the secrets file and never in the database. Whoever
rewrites the ledger, heads included, can't rewrite what was anchored. This module knows no table.
"""

import base64
import binascii
import contextlib
import datetime as dt
import hashlib
import os
import shlex
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from parvis.kit.server import Secrets

#: (chain, position, hash in hexadecimal)
Head = tuple[int, int, str]

SECRET = "ledger-signing-key"  # noqa: S105  # a name, not a secret
EVERY = dt.timedelta(minutes=10)
#: A ledger in which nothing happens is anchored again after this time, so that a silence is noticed.
LONGEST = dt.timedelta(days=1)
NOTHING = "0" * 64
_PREFIX = b"parvis ledger anchor 1\n"


# ---- keys


def signing_key() -> Ed25519PrivateKey:
    """The installation's private key, made on first use."""
    seed = Secrets(Path(settings.HOME)).get(SECRET)
    return Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(seed + "="))


def public_key() -> str:
    """The installation's public key: 43 characters that can be given to whoever is to check (`--key`)."""
    return _text(signing_key().public_key().public_bytes_raw())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# ---- one line


def sign(
    key: Ed25519PrivateKey, *, city: str, number: int, at: dt.datetime, heads: Iterable[Head], previous: str,
    restored: dict[str, Any] | None = None,
) -> bytes:  # fmt: skip
    """One line, without its end. previous: hash of the line before. restored: see `actions.anchor`."""
    said: dict[str, Any] = {
        "city": city,
        "number": number,
        "at": at.astimezone(dt.UTC).isoformat(timespec="seconds"),
        "heads": [list(head) for head in heads],
        "previous": previous,
        "key": _text(key.public_key().public_bytes_raw()),
    }
    if restored:
        said["restored"] = restored
    said["signature"] = _text(key.sign(_PREFIX + _canonical(said)))
    return orjson.dumps(said)


def digest(line: bytes) -> str:
    """What the next line carries of this one."""
    return hashlib.sha256(line).hexdigest()


def _canonical(said: dict[str, Any]) -> bytes:
    return orjson.dumps(
        {name: value for name, value in said.items() if name != "signature"}, option=orjson.OPT_SORT_KEYS
    )


@dataclass(frozen=True)
class Found:
    """A line of a file of anchors. `problem` is "" when its signature holds and it follows the line before it."""

    number: int
    line: bytes
    problem: str = ""
    at: str = ""
    heads: tuple[Head, ...] = ()
    #: a signed word that the database was put back from a backup: {"since": number, "reason": text}
    restored: dict[str, Any] | None = None


def judged(lines: Iterable[bytes], city: str, keys: frozenset[str]) -> Iterator[Found]:
    """Each line with what is wrong with it. Heads are given only of lines whose signature holds."""
    number, previous = 0, NOTHING
    for line in lines:
        found = read_line(line, city, keys)
        problem = found.problem
        if not problem and found.number != number + 1:
            problem = f"comes after anchor {number}: line(s) are missing or were exchanged"
        elif not problem and orjson.loads(line)["previous"] != previous:
            problem = "does not follow the line before it"
        yield Found(found.number or number + 1, line, problem, found.at, found.heads, found.restored)
        number, previous = found.number or number + 1, digest(line)


def read_line(line: bytes, city: str, keys: frozenset[str]) -> Found:
    """One line, judged alone: its form, its city, and its signature by one of `keys`."""
    try:
        said = orjson.loads(line)
        number, signature, key = int(said["number"]), _bytes(said["signature"]), str(said["key"])
        heads = tuple((int(chain), int(position), str(found)) for chain, position, found in said["heads"])
        named, at, restored = str(said["city"]), str(said["at"]), said.get("restored")
    except (ValueError, TypeError, KeyError, binascii.Error):
        return Found(0, line, "is not an anchor")
    if key not in keys:
        return Found(number, line, "is signed with a key that is not the installation's")
    try:
        Ed25519PublicKey.from_public_bytes(_bytes(key)).verify(signature, _PREFIX + _canonical(said))
    except (InvalidSignature, ValueError):
        return Found(number, line, "has a signature that does not fit: it was forged or changed")
    if named != city:
        return Found(number, line, f"is an anchor of another city ({named})")
    return Found(number, line, "", at, heads, restored)


def number_of(line: bytes) -> int:
    """The number that a line says it has; 0 when it says none."""
    try:
        return int(orjson.loads(line)["number"])
    except (ValueError, TypeError, KeyError):
        return 0


# ---- files


def file_of(city: str, folder: Path | None = None) -> Path:
    """Where the anchors of a city are kept: in the installation's own folder, or in another one."""
    return (folder or Path(settings.HOME) / "anchors") / f"{city}.jsonl"


def city_of(file: Path) -> str:
    """The city that the last line of a file names, or ""."""
    with contextlib.suppress(ValueError, TypeError, KeyError):
        return str(orjson.loads(last(file))["city"])
    return ""


def read(file: Path) -> list[bytes]:
    """The lines of a file, without their ends; [] when there is none. A last line without an end was cut by a crash
    before anybody counted on it, and is left out."""
    try:
        return [line for line in file.read_bytes().split(b"\n")[:-1] if line]
    except FileNotFoundError:
        return []


def last(file: Path) -> bytes:
    """The last whole line, or b""; reads no more of the file than it needs."""
    with contextlib.suppress(FileNotFoundError), file.open("rb") as source:
        size = source.seek(0, os.SEEK_END)
        for reach in (1 << 13, 1 << 17, size):
            source.seek(max(0, size - reach))
            lines = source.read().split(b"\n")
            if len(lines) > 2 or reach >= size:
                return lines[-2] if len(lines) > 1 else b""
    return b""


def append(file: Path, lines: Iterable[bytes]) -> None:
    """Add lines and wait until the disk has them. A half line left by a crash, or by a full disk, is taken away."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = not file.exists()
    with os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0) as target:
        size = target.seek(0, os.SEEK_END)
        whole = _whole(target, size)
        if whole < size:
            target.truncate(whole)
        target.seek(whole)
        try:
            data = b"".join(line + b"\n" for line in lines)
            if target.write(data) != len(data):
                raise OSError(f"{file} took only a part of an anchor")
            os.fsync(target.fileno())
        except OSError:
            target.truncate(whole)
            raise
    if fresh:
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _whole(target: Any, size: int) -> int:
    """Where the last whole line ends."""
    end = size
    while end:
        start = max(0, end - 8192)
        target.seek(start)
        place = target.read(end - start).rfind(b"\n")
        if place >= 0:
            return int(start + place + 1)
        end = start
    return 0


# ---- outside


def carry(to: str, home: Path, line: bytes) -> None:
    """Bring a new anchor to where ANCHOR_TO says (mail goes another way: by the outbox).

    to: a folder, which is given every line that it does not have yet; or "command:program argument ...", which
    is given the line on its standard input. Raises OSError or subprocess.SubprocessError.
    """
    if to.startswith("command:"):
        command = shlex.split(to.removeprefix("command:"))
        subprocess.run(command, input=line + b"\n", check=True, timeout=30, stdout=subprocess.DEVNULL)
        return
    target = Path(to).expanduser() / home.name
    known = number_of(last(target))
    append(target, [each for each in read(home) if number_of(each) > known])
