"""Opening what somebody calls an HSDS file: a folder, a zip, or one .csv, .json or .ndjson, friendly or hostile.

Nothing is ever unpacked to disk and no name inside a package is ever used as a path. Bytes are counted while they
are read, so a zip bomb stops at the limit and not at the end of the memory.
"""

import codecs
import csv
import hashlib
import io
import itertools
import json
import os
import re
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, Literal

import ijson  # type: ignore[import-untyped]
import orjson

READABLE = (".csv", ".json", ".ndjson", ".jsonl", ".tsv")
NOISE = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
CHUNK = 1 << 20
WHOLE = 32 << 20  # bytes of a JSON document that may be read in one go
DEEPEST = 200  # levels of a JSON document


class HsdsError(Exception):
    """The one error of reading: says in a sentence, for the person who gave the file, why it cannot be read."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one import may cost. Bytes are inflated bytes."""

    total_bytes: int = 2 << 30
    file_bytes: int = 1 << 30
    files: int = 2_000
    ratio: int = 200  # inflated / deflated, looked at beyond `ratio_from`
    ratio_from: int = 16 << 20
    line_bytes: int = 16 << 20
    rows: int = 20_000_000


class Meter:
    """Counts what has been read from a package, and stops it at the limits."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.total = 0

    def count(self, name: str, chunk: int, so_far: int, packed: int | None) -> None:
        """Add `chunk` bytes of the file `name` (`so_far` of it read, `packed` bytes in its zip). HsdsError."""
        self.total += chunk
        limits = self.limits
        # Files are read twice (once to find the encoding), hence the 2.
        if self.total > 2 * limits.total_bytes or so_far > limits.file_bytes:
            raise HsdsError(f"{name} is too big: more than {_megabytes(limits.file_bytes)} when opened.")
        if packed is not None and so_far > limits.ratio_from and so_far > limits.ratio * max(packed, 1):
            raise HsdsError(f"{name} inflates more than {limits.ratio} times: this looks like a zip bomb.")


def _megabytes(number: int) -> str:
    return f"{number >> 20} MB"


class _Metered(io.RawIOBase):
    def __init__(self, inner: IO[bytes], name: str, meter: Meter, packed: int | None) -> None:
        self.inner, self.label, self.meter, self.packed, self.so_far = inner, name, meter, packed, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            chunk = self.inner.read(len(buffer))
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError) as error:
            raise HsdsError(f"{self.label} cannot be read: {error}.") from error
        buffer[: len(chunk)] = chunk
        self.so_far += len(chunk)
        self.meter.count(self.label, len(chunk), self.so_far, self.packed)
        return len(chunk)

    def close(self) -> None:
        if not self.closed:
            self.inner.close()
        super().close()


Encoding = Literal["utf-8", "utf-8-sig", "utf-16", "mixed"]


@dataclass
class Member:
    """One file of a package: its name inside, and how to open its bytes (as often as needed)."""

    name: str
    start: Callable[[], IO[bytes]]
    size: int = 0
    encoding: Encoding = "utf-8"
    odd_lines: int = 0  # lines that were not UTF-8 in a file that is "mixed"

    @property
    def stem(self) -> str:
        """Lower-case name without folder, ending, or an `hsds_` in front: `hsds_Services.csv` -> `services`."""
        stem = PurePosixPath(self.name).name.split(".")[0].strip().lower().replace("-", "_").replace(" ", "_")
        return stem.removeprefix("hsds_")

    @property
    def ending(self) -> str:
        return PurePosixPath(self.name).suffix.lower()

    @contextmanager
    def bytes(self) -> Iterator[IO[bytes]]:
        """The file's bytes, counted."""
        raw = self.start()
        try:
            yield raw
        finally:
            raw.close()


@dataclass
class Package:
    """An opened source: `name` is the same for a folder and for its zip, so both are the same source."""

    name: str
    members: list[Member]
    ignored: list[tuple[str, str]] = field(default_factory=list)  # (file, why)
    digest: str = ""  # SHA-256 over names and bytes, filled by `look`


@contextmanager
def open_package(path: str | os.PathLike[str], limits: Limits | None = None) -> Iterator[Package]:
    """Open a folder, a zip or a single file.

    Raises HsdsError, with a sentence that names the file, for anything that cannot or must not be read.
    """
    place = Path(path)
    meter = Meter(limits or Limits())
    try:
        mode = place.stat().st_mode
    except (OSError, ValueError) as error:
        raise HsdsError(f"{place} cannot be opened: there is no such file or folder.") from error
    try:
        if stat.S_ISDIR(mode):
            yield _look(_folder(place, meter), meter)
        elif not stat.S_ISREG(mode):
            raise HsdsError(f"{place} is neither a file nor a folder.")
        elif zipfile.is_zipfile(place):
            with zipfile.ZipFile(place) as archive:
                yield _look(_zip(place, archive, meter), meter)
        elif place.suffix.lower() == ".zip":
            raise HsdsError(f"{place.name} is called a zip but is not one, or it is damaged.")
        else:
            yield _look(_single(place, meter), meter)
    except PermissionError as error:
        raise HsdsError(f"{place} may not be read: permission denied.") from error
    except (zipfile.BadZipFile, zipfile.LargeZipFile) as error:
        raise HsdsError(f"{place.name} is a damaged zip: {error}.") from error


def _on_disk(place: Path, name: str, meter: Meter) -> Member:
    def start() -> IO[bytes]:
        return io.BufferedReader(_Metered(place.open("rb"), name, meter, None), CHUNK)

    return Member(name, start, place.stat().st_size)


def _single(place: Path, meter: Meter) -> Package:
    return Package(place.stem, [_on_disk(place, place.name, meter)])


def _folder(place: Path, meter: Meter) -> Package:
    root = place.resolve()
    members: list[Member] = []
    ignored: list[tuple[str, str]] = []
    for folder, folders, names in os.walk(root, followlinks=False):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in sorted(names):
            file = Path(folder) / name
            inside = file.relative_to(root).as_posix()
            if name.startswith(".") or name in NOISE:
                continue
            if file.is_symlink() and not file.resolve().is_relative_to(root):
                raise HsdsError(f"{inside} is a link that leads out of the folder.")
            if not file.is_file():
                ignored.append((inside, "not a regular file"))
            elif file.suffix.lower() in READABLE:
                members.append(_on_disk(file, inside, meter))
            else:
                ignored.append((inside, "not a kind of file that HSDS uses"))
            if len(members) > meter.limits.files:
                raise HsdsError(f"{place.name} holds more than {meter.limits.files} files.")
    return Package(root.name, members, ignored)


def _zip(place: Path, archive: zipfile.ZipFile, meter: Meter) -> Package:
    infos = archive.infolist()
    if len(infos) > meter.limits.files:
        raise HsdsError(f"{place.name} holds more than {meter.limits.files} files.")
    members: list[Member] = []
    ignored: list[tuple[str, str]] = []
    seen: set[str] = set()
    for info in sorted(infos, key=lambda info: info.filename):
        name = info.filename.replace("\\", "/")
        parts = PurePosixPath(name).parts
        if name.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", name) or "\0" in info.orig_filename:
            raise HsdsError(f"{place.name} holds a file whose name leads out of the package: {name[:200]!r}.")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise HsdsError(f"{place.name} holds a link instead of a file: {name[:200]!r}.")
        if info.is_dir() or any(noise in name for noise in NOISE) or parts[-1].startswith("."):
            continue
        if info.flag_bits & 0x1:
            raise HsdsError(f"{place.name} is protected by a password.")
        if name in seen:
            raise HsdsError(f"{place.name} holds two files called {name[:200]!r}.")
        seen.add(name)
        if PurePosixPath(name).suffix.lower() not in READABLE:
            why = (
                "a zip inside a zip is not opened"
                if name.lower().endswith(".zip")
                else ("not a kind of file that HSDS uses")
            )
            ignored.append((name, why))
            continue
        members.append(Member(name, _in_zip(archive, info, name, meter), info.file_size))
    return Package(place.stem, members, ignored)


def _in_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, meter: Meter) -> Callable[[], IO[bytes]]:
    def start() -> IO[bytes]:
        try:
            inner = archive.open(info)
        except (RuntimeError, NotImplementedError, zipfile.BadZipFile, OSError) as error:
            raise HsdsError(f"{name} cannot be read: {error}.") from error
        return io.BufferedReader(_Metered(inner, name, meter, info.compress_size), CHUNK)

    return start


def _look(package: Package, meter: Meter) -> Package:
    """Read every file once: its encoding, that no line is endless, and the digest of the whole."""
    if not package.members:
        raise HsdsError(f"{package.name} holds no .csv, .json or .ndjson file.")
    digest = hashlib.sha256()
    for member in package.members:
        digest.update(member.name.encode(errors="replace") + b"\0")
        with member.bytes() as stream:
            member.encoding = _encoding(stream, member, digest, meter.limits)
    package.digest = digest.hexdigest()
    return package


def _encoding(stream: IO[bytes], member: Member, digest: Any, limits: Limits) -> Encoding:
    decoder = codecs.getincrementaldecoder("utf-8")()
    first = b""
    run, size, valid, lines = 0, 0, True, member.ending != ".json"
    while chunk := stream.read(CHUNK):
        first = first or chunk[:4096]
        size += len(chunk)
        digest.update(chunk)
        if valid:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                valid = False
        if lines:
            end = b"\n" if b"\n" in chunk else b"\r"
            at = chunk.find(end)
            run = run + len(chunk) if at < 0 else max(run + at, 0)
            if run > limits.line_bytes:
                raise HsdsError(f"{member.name} has a line longer than {_megabytes(limits.line_bytes)}.")
            if at >= 0:
                run = len(chunk) - chunk.rfind(end) - 1
    member.size = size
    if valid:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            valid = False
    if first.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if first.count(b"\0") * 3 > len(first) > 3:
        return "utf-16"
    if valid:
        return "utf-8-sig" if first.startswith(b"\xef\xbb\xbf") else "utf-8"
    return "mixed"


def _codec(member: Member) -> str:
    """The codec for a UTF-16 file: with a mark of its own, or guessed from where the zeros stand."""
    with member.bytes() as stream:
        first = stream.read(4096)
    if first.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    return "utf-16-le" if first[1::2].count(0) >= first[0::2].count(0) else "utf-16-be"


@contextmanager
def text_of(member: Member) -> Iterator[Iterator[str]]:
    """Lines of a file with their line ends, in whatever encoding they are; bad bytes are read as Windows-1252."""
    with member.bytes() as stream:
        if member.encoding == "mixed":
            yield _mixed(stream, member)
        else:
            encoding = _codec(member) if member.encoding == "utf-16" else member.encoding
            errors = "replace" if member.encoding == "utf-16" else "strict"
            yield io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="")


def _mixed(stream: IO[bytes], member: Member) -> Iterator[str]:
    for raw in stream:
        line = raw.removeprefix(b"\xef\xbb\xbf")
        try:
            yield line.decode()
        except UnicodeDecodeError:
            member.odd_lines += 1
            yield windows(line)


def windows(raw: bytes) -> str:
    """Bytes read as Windows-1252, its five holes as Latin-1. Never fails."""
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError:
        return "".join(_WINDOWS[byte] for byte in raw)


def _windows_table() -> list[str]:
    table = []
    for byte in range(256):
        try:
            table.append(bytes([byte]).decode("cp1252"))
        except UnicodeDecodeError:
            table.append(chr(byte))
    return table


_WINDOWS = _windows_table()


@dataclass
class Sheet:
    """A CSV file being read: its headings, and its records one by one."""

    headings: list[str]
    repeated: dict[str, int]  # heading -> place of its first, dropped when rows are one cell short
    rows: Iterator[tuple[int, list[str]]]  # (line on which the record starts, its cells)


@contextmanager
def sheet_of(member: Member, limits: Limits) -> Iterator[Sheet]:
    """Read a CSV file (comma, semicolon or tab). HsdsError if it is not one."""
    csv.field_size_limit(limits.line_bytes)
    with text_of(member) as lines:
        try:
            first = next(iter(lines), "")
        except (UnicodeDecodeError, UnicodeError) as error:
            raise HsdsError(f"{member.name} is not text.") from error
        delimiter = max(",;\t", key=first.count) if first else ","
        reader = csv.reader(itertools.chain((first,), lines), delimiter=delimiter)
        yield _sheet(reader, member, limits)


def _sheet(reader: Any, member: Member, limits: Limits) -> Sheet:
    def records() -> Iterator[tuple[int, list[str]]]:
        count, line, most = 0, reader.line_num, limits.rows
        try:
            for row in reader:
                if row:
                    count += 1
                    if count > most:
                        raise HsdsError(f"{member.name} has more than {most} rows.")
                    yield line + 1, row
                line = reader.line_num
        except (csv.Error, UnicodeError) as error:
            raise HsdsError(f"{member.name}, line {reader.line_num}: cannot be read as CSV ({error}).") from error

    rows = records()
    _, heading = next(rows, (0, []))
    names = [
        re.sub(r"[\s\-]+", "_", cell.replace("\ufeff", "").replace("\0", "").strip().strip("'\"")) for cell in heading
    ]
    repeated: dict[str, int] = {}
    seen: dict[str, int] = {}
    for place, name in enumerate(names):
        if name.lower() in seen and name:
            repeated[name.lower()] = seen[name.lower()]
        seen.setdefault(name.lower(), place)
    return Sheet(names, repeated, rows)


def json_items(member: Member, limits: Limits) -> Iterator[tuple[int, str, Any, str]]:
    """Objects of a JSON file: of a list, of a page's `contents`, of `name.csv` lists, of each line, or the one.

    Yields (line or number, name hint, object, problem): with a problem the object is the text that is not JSON.
    """
    if member.size == 0:
        return
    if member.encoding in ("utf-16", "mixed"):
        with _as_utf8(member) as member:
            yield from json_items(member, limits)
        return
    if member.ending in (".ndjson", ".jsonl") or _looks_like_lines(member, limits):
        yield from _json_lines(member, limits)
        return
    done = 0
    try:
        for item in _fast_array(member, limits):
            done += 1
            yield item
        return
    except _NotOnePerLine:
        pass
    try:
        for number, (hint, value) in enumerate(_slow_json(member), 1):
            if number > limits.rows:
                raise HsdsError(f"{member.name} has more than {limits.rows} objects.")
            if number > done:
                yield number, hint, value, ""
    except (ijson.JSONError, ValueError, ArithmeticError, RecursionError, MemoryError) as error:
        message = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise HsdsError(f"{member.name} is not well-formed JSON: {message}.") from error


@contextmanager
def _as_utf8(member: Member) -> Iterator[Member]:
    """The same file in UTF-8. JSON must be, and sometimes is not."""
    with tempfile.SpooledTemporaryFile(max_size=16 << 20) as spool:
        with text_of(member) as lines:
            for line in lines:
                spool.write(line.removeprefix("\ufeff").encode(errors="replace"))
        length = spool.tell()

        def start() -> IO[bytes]:
            spool.seek(0)
            return io.BufferedReader(_KeptOpen(spool), CHUNK)

        yield Member(member.name, start, length)


class _KeptOpen(io.RawIOBase):
    """A view of a spooled file that may be closed without closing the spool."""

    def __init__(self, spool: Any) -> None:
        self.spool = spool

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return int(self.spool.readinto(buffer))


class _NotOnePerLine(Exception):
    """The array is not written one object per line: read it the slow way."""


def _start(member: Member) -> IO[bytes]:
    stream = member.start()
    if member.encoding == "utf-8-sig":
        stream.read(3)
    return stream


def _looks_like_lines(member: Member, limits: Limits) -> bool:
    with _start(member) as stream:
        first = stream.readline(limits.line_bytes).strip()
        second = stream.readline(64).lstrip()
    if not (first.startswith(b"{") and second.startswith(b"{")):
        return False
    try:
        return isinstance(orjson.loads(first), dict)
    except orjson.JSONDecodeError:
        return False


def _json_lines(member: Member, limits: Limits) -> Iterator[tuple[int, str, Any, str]]:
    with _start(member) as stream:
        for number, line in enumerate(stream, 1):
            if number > limits.rows:
                raise HsdsError(f"{member.name} has more than {limits.rows} lines.")
            if line := line.strip():
                yield number, "", *_parsed(line)


def _parsed(line: bytes) -> tuple[Any, str]:
    try:
        return orjson.loads(line), ""
    except orjson.JSONDecodeError as error:
        try:  # numbers too big for orjson are still JSON
            return json.loads(line), ""
        except (ValueError, RecursionError):
            return line[:10_000].decode(errors="replace"), str(error)


def _fast_array(member: Member, limits: Limits) -> Iterator[tuple[int, str, Any, str]]:
    """A list written one object per line, as Parvis writes it: ten times faster than reading token by token."""
    with _start(member) as stream:
        if stream.readline(64).strip() != b"[":
            raise _NotOnePerLine
        number = 0
        while line := stream.readline(limits.line_bytes):
            text = line.strip().removesuffix(b",")
            if text == b"]":
                return
            try:
                value = orjson.loads(text)
            except orjson.JSONDecodeError as error:
                raise _NotOnePerLine from error
            number += 1
            yield number, "", value, ""
    raise _NotOnePerLine


def _slow_json(member: Member) -> Iterator[tuple[str, Any]]:
    """(name hint, object) of any JSON document; of a big one, with memory for one object at a time."""
    if member.size <= WHOLE:
        with _start(member) as stream:
            yield from _in_document(_loaded(stream.read()))
        return
    keys = _survey(member)
    if keys is None:
        with _start(member) as stream:
            for item in ijson.items(stream, "item", use_float=False):
                yield "", item
        return
    lists = [key for key, kind in keys.items() if kind == "start_array" and _is_list(key)]
    if not lists:
        raise HsdsError(f"{member.name} is one object of more than {_megabytes(WHOLE)}.")
    for key in lists:
        hint = "" if key == "contents" else key.removesuffix(".csv")
        with _start(member) as stream:
            if "." not in key:
                for item in ijson.items(stream, f"{key}.item", use_float=False):
                    yield hint, item
                continue
            for name, items in ijson.kvitems(stream, "", use_float=False):
                if name == key:
                    for item in items:
                        yield hint, item


def _is_list(key: str) -> bool:
    return key == "contents" or key.endswith(".csv")


def _loaded(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return json.loads(data)  # numbers too big for orjson are still JSON


def _in_document(document: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(document, list):
        for item in document:
            yield "", item
        return
    lists = (
        [key for key in document if _is_list(key) and isinstance(document[key], list)]
        if (isinstance(document, dict))
        else []
    )
    if not lists:
        yield "", document
    for key in lists:
        for item in document[key]:
            yield "" if key == "contents" else key.removesuffix(".csv"), item


def _survey(member: Member) -> dict[str, str] | None:
    """Look through a big document: keys of the outermost object with the kind of their values, None for a list.

    HsdsError when it is nested too deeply for the memory of the reader.
    """
    keys: dict[str, str] = {}
    depth, key, outermost = 0, "", ""
    with _start(member) as stream:
        for event, value in ijson.basic_parse(stream, use_float=False):
            outermost = outermost or event
            if depth == 1 and event == "map_key":
                key = str(value)
            elif depth == 1 and key:
                if len(keys) < 1000:
                    keys.setdefault(key, event)
                key = ""
            if event in ("start_map", "start_array"):
                depth += 1
                if depth > DEEPEST:
                    raise HsdsError(f"{member.name} is nested more than {DEEPEST} deep.")
            elif event in ("end_map", "end_array"):
                depth -= 1
    return None if outermost == "start_array" else keys
