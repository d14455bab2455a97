"""Attachments: judged by what they are, never by what they are called, and given back so that nothing in them runs.

`examine` answers with the bytes to keep: pictures are drawn anew (their place, camera and whatever was glued behind
them are gone), documents are kept as they came if they hold nothing that acts by itself. Choices:

- A PDF with scripts, launch actions, embedded files, media or an XFA form is refused, with the advice to print it as a
  PDF: taking them out would change a document that may be evidence or be signed. Links are noted.
- Office files with macros, embedded objects or parts fetched from elsewhere are refused; links are fine.
- What is kept gets an ending that fits it, so that a text called `run.bat` is opened as a text.

`Scanner` asks a ClamAV daemon; `download` answers with the bytes as an attachment.
"""

import contextlib
import io
import re
import socket
import time
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote, urlsplit
from xml.parsers import expat

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

from parvis.core.names import romanize
from parvis.kit import pdf_reading

LARGEST = 10 * 1024**2  # bytes of one attachment
MOST_PIXELS = 50_000_000  # of one picture: about 200 MB once decoded
LONGEST_SIDE = 4000  # pixels kept
MOST_INFLATED = 60 * 1024**2  # bytes of all parts of an office file together
MOST_RELATED = 4 * 1024**2  # bytes of those parts that are read as XML
MOST_PARTS = 2000
MOST_SCANS = 60  # of one JPEG: each is a pass over the whole picture, and costs its sender ten bytes
LONGEST_NAME = 100  # characters of a file name, its ending included

PDF, JPEG, PNG, WEBP = "application/pdf", "image/jpeg", "image/png", "image/webp"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODT = "application/vnd.oasis.opendocument.text"
TEXT, CSV = "text/plain", "text/csv"

#: The endings a kept file may have; the first is added when it has none of them.
ENDINGS = {
    PDF: (".pdf",), JPEG: (".jpg", ".jpeg"), PNG: (".png",), WEBP: (".webp",), DOCX: (".docx",), XLSX: (".xlsx",),
    ODT: (".odt",), TEXT: (".txt",), CSV: (".csv",),
}  # fmt: skip


class UploadRefused(ValidationError):
    """The attachment is not kept. The sentence says why and what to do; `code` is for tests and figures."""


class Readable(Protocol):
    """What a form gives: an uploaded file, or any open one. It is read from its start."""

    def read(self, size: int = -1, /) -> bytes: ...

    def seek(self, place: int, /) -> object: ...


@dataclass(frozen=True, slots=True)
class Examined:
    """An attachment that may be kept: `data` is what to store, which for a picture is not what came in.

    `notes` are sentences for who stores it, in the reader's language when shown.
    """

    media_type: str
    data: bytes
    name: str
    notes: tuple[Any, ...] = ()


_REFUSALS = {
    "empty": _("This file is empty: choose it again, or send another."),
    "large": _("This file is larger than %(most)s MB: send a smaller one, or several."),
    "heic": _(
        "This picture is in a format that few programs open (HEIC). Save or send it as JPEG; on a phone, choose “most"
        " compatible” in the camera's settings."
    ),
    "kind": _("This kind of file is not accepted: send a PDF, a picture (JPEG, PNG, WebP), DOCX, XLSX, ODT or text."),
    "program": _("This file is a program or a script, which is never accepted: send a document or a picture."),
    "page": _("This file is a web page or a drawing made of code (HTML, SVG): print it as a PDF and send that."),
    "old-office": _(
        "This is an older office file, or one protected by a password: save it as DOCX, XLSX or PDF without a password"
        " and send that."
    ),
    "picture": _("This picture can't be opened: it may be damaged. Take or save it again and send that."),
    "pixels": _("This picture has too many pixels: save it smaller and send that."),
    "pdf-acts": _(
        "This PDF holds scripts, other files or media, which are not accepted: print it as a PDF and send that copy."
    ),
    "pdf-locked": _("This PDF is protected by a password: save it without one and send that."),
    "pdf-broken": _("This PDF can't be checked: it may be damaged. Print it as a PDF and send that copy."),
    "archive": _("This office file is damaged or is two files in one: save it again, or as a PDF, and send that."),
    "bomb": _("This office file unpacks to far more than a document should: save it as a PDF and send that."),
    "macros": _("This office file holds macros: save it without them, or as a PDF, and send that."),
    "embedded": _(
        "This office file holds another file or fetches parts from elsewhere: save it as a PDF and send that."
    ),
    "encoding": _("This text is not in UTF-8: save it as a text in UTF-8, or as a PDF, and send that."),
}

_RE_ENCODED = _("The picture was drawn anew: place, date and camera are no longer in it.")
_REDUCED = _("The picture was made smaller.")
_FIRST_ONLY = _("Only the first picture of several was kept.")
_LINKS = _("This document holds links: look where they lead before you follow them.")
_FORMULAS = _("Some cells begin like formulas: open this table as text.")


def _refuse(code: str, **params: object) -> UploadRefused:
    return UploadRefused(_REFUSALS[code], code=code, params=params)


def examine(file: Readable | bytes, *, name: str, largest: int = LARGEST) -> Examined:
    """Judge an uploaded file by its content. `largest` is in bytes.

    Raises UploadRefused with a sentence that says what to do instead.
    """
    if isinstance(file, bytes):
        data = file[: largest + 1]
    else:
        with contextlib.suppress(AttributeError, OSError):  # a form may have looked at it already
            file.seek(0)
        data = file.read(largest + 1)
    if not data:
        raise _refuse("empty")
    if len(data) > largest:
        raise _refuse("large", most=f"{largest / 1024**2:g}")
    media_type, kept, notes = _judge(bytes(data), name)
    return Examined(media_type, kept, fitting_name(name, media_type), notes)


_Judged = tuple[str, bytes, tuple[Any, ...]]


def _judge(data: bytes, name: str) -> _Judged:
    head = data[:16]
    if head.startswith(b"%PDF-"):
        return _pdf(data)
    if head.startswith(b"\xff\xd8\xff"):
        return _picture(data, JPEG)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _picture(data, PNG)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _picture(data, WEBP)
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC:
        raise _refuse("heic")
    if head.startswith(b"PK\x03\x04"):
        return _office(data)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise _refuse("old-office")
    if _is_program(data):
        raise _refuse("program")
    return _text(data, name)


_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_PROGRAMS = (
    b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"#!", b"<?php",
    b"\x00asm", b"dex\n", b"L\x00\x00\x00\x01\x14\x02\x00", b"MSCF", b"!<arch>",
)  # fmt: skip


def _is_program(data: bytes) -> bool:
    return data.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_PROGRAMS[5:8]) or data.startswith(_PROGRAMS)


# ---- pictures


def _picture(data: bytes, media_type: str) -> _Judged:
    """The picture drawn anew from its pixels, upright, with nothing of the file it came in."""
    kind = {JPEG: "JPEG", PNG: "PNG", WEBP: "WEBP"}[media_type]
    if kind == "JPEG" and data.count(b"\xff\xda") > MOST_SCANS:
        raise _refuse("pixels")
    try:
        with Image.open(io.BytesIO(data), formats=[kind]) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise _refuse("pixels")
            several = getattr(opened, "n_frames", 1) > 1
            large = max(opened.size) > LONGEST_SIDE
            opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a large JPEG is decoded smaller
            upright = ImageOps.exif_transpose(opened)
    except UploadRefused:
        raise
    except Image.DecompressionBombError as error:
        raise _refuse("pixels") from error
    except Exception as error:  # a decoder of foreign bytes: whatever it stumbles on, the picture is not kept
        raise _refuse("picture") from error
    has_alpha = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
    drawn = upright.convert("L" if upright.mode in ("1", "L") and not has_alpha else "RGBA" if has_alpha else "RGB")
    drawn.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    drawn.info = {}
    out = io.BytesIO()
    options: dict[str, Any] = {"JPEG": {"quality": 88, "optimize": True}, "WEBP": {"quality": 88}}.get(kind, {})
    drawn.save(out, kind, **options)
    notes = [_RE_ENCODED]
    if large:
        notes.append(_REDUCED)
    if several:
        notes.append(_FIRST_ONLY)
    return media_type, out.getvalue(), tuple(notes)


# ---- PDF


def _pdf(data: bytes) -> _Judged:
    if zipfile.is_zipfile(io.BytesIO(data)):
        raise _refuse("pdf-acts")
    try:
        found = pdf_reading.abilities(data)
    except pdf_reading.CannotRead as error:
        raise _refuse("pdf-locked" if error.why == "locked" else "pdf-broken") from error
    if found - {"links"}:
        raise _refuse("pdf-acts")
    return PDF, data, (_LINKS,) if found else ()


# ---- office files

_MAIN_PARTS = {
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml": DOCX,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml": XLSX,
}
_MACROS = re.compile(r"(?:^|/)(?:vba[^/]*\.bin|vbadata\.xml|activex/|basic/|scripts/|macrosheets/|dialogsheets/)", re.I)
_EMBEDDED = re.compile(r"(?:^|/)(?:embeddings/|object ?\d+/|oleobject[^/]*|attachedtoolbars)", re.I)
# These stop at the next "<" and never step back far: a part of any shape costs about one look at each byte.
_FIELD = re.compile(
    rb"<(?:\w{1,40}:)?(?:instrText|delInstrText)\b[^<>]*+>([^<]*+)<"
    rb"|<(?:\w{1,40}:)?fldSimple\b[^<>]*?\binstr=[\"']([^\"'<]*)"
)
# OpenDocument: anything but a link that comes from elsewhere.
_FETCHED = re.compile(
    rb"<(?!text:a[\s>]|draw:a[\s>])[\w:.-]++[^<>]*?\bxlink:href=[\"'](?:https?:|file:|ftp:|smb:|[/\\]|\.\./)"
    rb"|<office:dde-source"
)


def _office(data: bytes) -> _Judged:
    """DOCX, XLSX or ODT as it came, if every part of it was looked at and none acts by itself."""
    if b"%PDF-" in data[:1024]:
        raise _refuse("archive")
    parts = {}
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_frame(data, archive)
            for info in archive.infolist():
                kept = bytearray()
                for piece in _inflate(archive, info):
                    total += len(piece)
                    if total > MOST_INFLATED:
                        raise _refuse("bomb")
                    kept += piece
                _check_part(info.filename, bytes(kept))
                if info.filename in ("[Content_Types].xml", "mimetype") or info.filename.endswith(".rels"):
                    parts[info.filename] = bytes(kept)
                    if sum(map(len, parts.values())) > MOST_RELATED:
                        raise _refuse("bomb")
    except UploadRefused:
        raise
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OSError, EOFError) as error:
        raise _refuse("archive") from error
    except Exception as error:  # zlib.error and what else an inflater says of foreign bytes
        raise _refuse("archive") from error
    links = [_outside(content) for part, content in parts.items() if part.endswith(".rels")]
    return _office_type(parts), data, (_LINKS,) if any(links) else ()


def _check_frame(data: bytes, archive: zipfile.ZipFile) -> None:
    """Nothing before, between the lines or behind: what we read is what the office program will read."""
    infos = archive.infolist()
    names = [info.filename.casefold() for info in infos]
    if len(infos) > MOST_PARTS:
        raise _refuse("bomb")
    end = data.rfind(b"PK\x05\x06")
    if archive.comment or end != len(data) - 22 or min(info.header_offset for info in infos) != 0:
        raise _refuse("archive")
    if len(set(names)) != len(names) or any(".." in name.split("/") or name.startswith("/") for name in names):
        raise _refuse("archive")
    for info in infos:
        if info.flag_bits & 0x1:
            raise _refuse("old-office")  # protected by a password
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _refuse("archive")


def _inflate(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The content of a part, piece by piece, so that a bomb is noticed before it is in memory."""
    with archive.open(info) as part:
        while piece := part.read(65536):
            yield piece


def _check_part(name: str, content: bytes) -> None:
    if _MACROS.search(name):
        raise _refuse("macros")
    if _EMBEDDED.search(name) or content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF-")):
        raise _refuse("embedded")
    if content.startswith(_PROGRAMS):
        raise _refuse("program")
    if name.lower().endswith((".xml", ".rels")):
        # an XML part in another encoding, or with entities, would be read otherwise by others than by us
        if b"\0" in content or b"<<" in content or b"<!DOCTYPE" in content or b"<!ENTITY" in content:
            raise _refuse("archive")
        fields = b"".join(a or b for a, b in _FIELD.findall(content)) if b"nstr" in content else b""
        if re.search(rb"\bDDE(?:AUTO)?\b|INCLUDE(?:TEXT|PICTURE)", fields, re.I) or b"<ddeLink" in content:
            raise _refuse("embedded")
        if (b"xlink:href" in content or b"dde-source" in content) and _FETCHED.search(content):
            raise _refuse("embedded")
        if b"encryption-data" in content and name.lower().endswith("manifest.xml"):
            raise _refuse("old-office")
        if b"script:event-listener" in content or b"<script:" in content:
            raise _refuse("macros")


def _elements(content: bytes) -> list[dict[str, str]]:
    """The attributes of every element of a small XML part. Raises UploadRefused when it is no XML."""
    found: list[dict[str, str]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda _name, attributes: found.append(attributes)
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise _refuse("archive") from error
    return found


def _outside(relations: bytes) -> bool:
    """Whether a relationships part links to elsewhere. Raises UploadRefused if anything but a link is fetched there."""
    outside = [each for each in _elements(relations) if each.get("TargetMode", "").lower() == "external"]
    for each in outside:
        target = each.get("Target", "").strip().lower()
        if not each.get("Type", "").endswith("/hyperlink") or not target.startswith(("http:", "https:", "mailto:")):
            raise _refuse("embedded")
    return bool(outside)


def _office_type(parts: dict[str, bytes]) -> str:
    if parts.get("mimetype") == ODT.encode():
        return ODT
    types = [each.get("ContentType", "") for each in _elements(parts.get("[Content_Types].xml", b"<none/>"))]
    if any("macroenabled" in each.lower() or "vbaproject" in each.lower() for each in types):
        raise _refuse("macros")
    found = {_MAIN_PARTS[each] for each in types if each in _MAIN_PARTS}
    if len(found) != 1:
        raise _refuse("kind")
    return found.pop()


# ---- text

_MARKUP = re.compile(r"\s*<(?:!doctype|!--|\?xml|\?php|[a-z][a-z0-9:-]*[\s/>])", re.I)
_FORMULA = re.compile(r"(?:^|[,;\t])[ ]{0,9}\"?[ ]{0,9}[=+@-](?=\S)(?![\d .]{1,30}(?:[,;\t\r\"]|$))", re.M)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


def _text(data: bytes, name: str) -> _Judged:
    if b"\0" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _refuse("kind")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        looks_like_text = data.startswith((b"\xff\xfe", b"\xfe\xff")) or not re.search(rb"[\x00-\x08\x0e-\x1f]", data)
        raise _refuse("encoding" if looks_like_text else "kind") from error
    if _CONTROL.search(text) or "%PDF-" in text[:1024]:
        raise _refuse("kind")
    if _MARKUP.match(text) or text.lstrip().lower().startswith("{\\rtf"):
        raise _refuse("page" if _MARKUP.match(text) else "old-office")
    if name.lower().endswith(".csv"):
        return CSV, data, (_FORMULAS,) if _FORMULA.search(text) else ()
    return TEXT, data, ()


# ---- names

_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.I)


def clean_name(name: str) -> str:
    """A file name without a path, without signs that are not seen or that turn the direction, of bounded length."""
    name = unicodedata.normalize("NFC", name[-4 * LONGEST_NAME :])
    name = re.split(r"[/\\]", name)[-1]
    visible = (char for char in name if unicodedata.category(char)[0] != "C" or char.isspace() or char == "\u200c")
    seen = "".join(" " if char.isspace() else char for char in visible)
    seen = " ".join(re.sub(r'[<>:"|?*%;]', "_", seen).split()).strip(". \u200c")
    if _RESERVED.match(seen):
        seen = f"_{seen}"
    stem, dot, ending = seen.rpartition(".")
    if dot and len(ending) <= 10:
        return f"{stem[: LONGEST_NAME - len(ending) - 1].rstrip('. ')}.{ending}"
    return seen[:LONGEST_NAME].rstrip(". ")


def fitting_name(name: str, media_type: str) -> str:
    """The clean name with an ending of its media type: a text called "run.bat" becomes "run.bat.txt"."""
    clean = clean_name(name)
    endings = ENDINGS[media_type]
    if clean.lower().endswith(endings) and clean.lower() not in endings:
        return clean
    return f"{clean[: LONGEST_NAME - len(endings[0])] or 'attachment'}{endings[0]}"


def safe_disposition(name: str) -> str:
    """The Content-Disposition of a download (RFC 6266): always an attachment, an ASCII name and the true one.

    No sign of the name can end the header or its quotes.
    """
    clean = clean_name(name) or "attachment"
    stem, dot, ending = clean.rpartition(".")
    readable = romanize(stem or ending).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9 ._()+-]", "_", readable).strip(" .") or "attachment"
    ending = re.sub(r"[^A-Za-z0-9]", "", ending) if dot and stem else ""
    plain += f".{ending}" if ending else ""
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(clean, safe='')}"


def download(data: bytes, *, name: str, media_type: str) -> HttpResponse:
    """The answer that gives an attachment back: to be saved, never shown here, never kept by a cache, never guessed."""
    if media_type not in ENDINGS:
        media_type = "application/octet-stream"
    return HttpResponse(
        data,
        headers={
            "Content-Type": f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type,
            "Content-Disposition": safe_disposition(name),
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
        },
    )


# ---- the virus scanner


@dataclass(frozen=True, slots=True)
class Clean:
    """The daemon looked and found nothing it knows."""


@dataclass(frozen=True, slots=True)
class Infected:
    """The daemon knows it: `name` is what it calls it."""

    name: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Nobody looked. `reason` is for the log; the attachment must wait and not be given out."""

    reason: str


Verdict = Clean | Infected | Unavailable
PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Scanner:
    """A ClamAV daemon at `url`: tcp://host:port or unix:///path. `seconds` is for the whole of one scan.

    It never raises for what the daemon or the network does: no answer in time, or none that is understood, is
    `Unavailable`, never `Clean`.
    """

    url: str
    seconds: float = 60.0

    def scan(self, data: bytes) -> Verdict:
        if not self.url:
            return Unavailable("no scanner is set up (CLAMAV_URL)")
        deadline = time.monotonic() + self.seconds
        try:
            with self._connect() as peer:
                # it may answer and hang up before it has everything: then read why
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    self._send(peer, data, deadline)
                return _verdict(self._answer(peer, deadline))
        except (OSError, ValueError) as error:
            return Unavailable(f"{type(error).__name__}: {error}"[:200])

    def _connect(self) -> socket.socket:
        url = urlsplit(self.url)
        if url.scheme == "unix":
            peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            peer.settimeout(self.seconds)
            try:
                peer.connect(url.path)
            except OSError:
                peer.close()
                raise
            return peer
        if url.scheme != "tcp" or not url.hostname:
            raise ValueError("CLAMAV_URL is tcp://host:port or unix:///path")
        return socket.create_connection((url.hostname, url.port or 3310), timeout=self.seconds)

    def _send(self, peer: socket.socket, data: bytes, deadline: float) -> None:
        """The INSTREAM command: pieces each with its length (4 bytes, network order), then a length of nought."""
        _wait_until(peer, deadline)
        peer.sendall(b"zINSTREAM\0")
        for start in range(0, len(data), PIECE):
            piece = data[start : start + PIECE]
            _wait_until(peer, deadline)
            peer.sendall(len(piece).to_bytes(4, "big") + piece)
        peer.sendall(b"\0\0\0\0")

    def _answer(self, peer: socket.socket, deadline: float) -> str:
        answer = b""
        while b"\0" not in answer and len(answer) < 4096:
            _wait_until(peer, deadline)
            piece = peer.recv(1024)
            if not piece:
                break
            answer += piece
        if b"\0" not in answer:
            raise ValueError("the scanner ended its answer early")
        return answer.partition(b"\0")[0].decode("utf-8", "replace").strip()


def _wait_until(peer: socket.socket, deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the scanner did not answer in time")
    peer.settimeout(left)


def _verdict(answer: str) -> Verdict:
    if answer == "stream: OK":
        return Clean()
    found = re.fullmatch(r"stream: (.+) FOUND", answer)
    if found:
        return Infected(found[1][:200])
    return Unavailable(f"the scanner said: {answer}"[:200])


def scanner() -> Scanner:
    """The scanner of this installation (setting CLAMAV_URL; empty: none, every scan is `Unavailable`)."""
    return Scanner(getattr(settings, "CLAMAV_URL", ""))
