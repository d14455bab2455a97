"""Attachments: what is kept, what is refused and with which advice; the scanner's protocol against a real socket."""

import io
import random
import re
import resource
import socket
import struct
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pikepdf
import pytest
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.test import RequestFactory
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from parvis.kit import pdf_reading, uploads
from parvis.kit.uploads import Clean, Infected, Scanner, Unavailable, UploadRefused, examine


def refused(data: bytes, name: str = "file") -> str:
    """The code of the refusal; fails if the file is kept, or if the refusal says nothing of what to do."""
    with pytest.raises(UploadRefused) as caught:
        examine(io.BytesIO(data), name=name)
    sentence = caught.value.messages[0]
    assert isinstance(caught.value, ValidationError)
    assert re.search(r"send|choose|never accepted", sentence) and "%(" not in sentence
    return str(caught.value.code)


# ---- pictures


def picture(kind: str = "JPEG", size: tuple[int, int] = (60, 40), mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    drawn = Image.new(mode, size, 200)
    drawn.paste(255 if mode == "L" else (255, 0, 0), (0, 0, size[0] // 2, size[1] // 2))  # red above, at the left
    drawn.save(out, kind, **options)
    return out.getvalue()


def with_exif(kind: str = "JPEG") -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    exif[0x010F] = "SECRET-CAMERA"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (45.0, 30.0, 0.0)
    return picture(kind, exif=exif)


@pytest.mark.parametrize(("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")])
def test_a_picture_is_drawn_anew_without_what_its_file_told(kind: str, media_type: str) -> None:
    given_file = with_exif(kind)
    assert b"SECRET-CAMERA" in given_file  # the control
    kept = examine(io.BytesIO(given_file), name="photo.exe")
    assert kept.media_type == media_type and b"SECRET" not in kept.data and b"Exif" not in kept.data
    with Image.open(io.BytesIO(kept.data)) as drawn:
        assert drawn.size == (40, 60) and not dict(drawn.getexif())  # upright
        red = drawn.convert("RGB").getpixel((39, 0))
        assert isinstance(red, tuple) and red[0] > 200 and red[1] < 90  # what was above at the left is at the right
    assert kept.name.startswith("photo.exe.") and kept.notes


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "LA", "I;16", "CMYK"])
def test_every_kind_of_pixels_is_taken(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (9, 7)).save(out, "JPEG" if mode == "CMYK" else "PNG")
    with Image.open(io.BytesIO(examine(out.getvalue(), name="x").data)) as drawn:
        assert drawn.size == (9, 7) and (drawn.mode == "RGBA") == (mode in ("RGBA", "LA"))


def test_what_is_glued_behind_or_inside_a_picture_is_gone() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("x.html", "<script>alert(1)</script>")
    info = PngInfo()
    info.add_text("Comment", "<script>steal()</script>", zip=False)
    for data in (
        picture("JPEG") + archive.getvalue(),
        picture("PNG") + b"<html><script>steal()</script>",
        picture("PNG", pnginfo=info),
        picture("JPEG", comment=b"<script>steal()</script>", icc_profile=b"<script>steal()</script>"),
        picture("WEBP", xmp=b"<script>steal()</script>"),
    ):
        assert b"<script>" in data or zipfile.is_zipfile(io.BytesIO(data))
        kept = examine(data, name="a.png").data
        assert b"<script>" not in kept and not zipfile.is_zipfile(io.BytesIO(kept))


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims any size: a pixel bomb."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [7_072, 20_000, 2**31 - 1])
def test_a_pixel_bomb_is_refused_before_it_is_decoded(side: int) -> None:
    with patch("PIL.ImageFile.ImageFile.load") as decoded:
        assert refused(png_claiming(side, side)) == "pixels"
        decoded.assert_not_called()
        examined = patch.object(uploads, "MOST_PIXELS", 10**12)
        with examined, pytest.raises(Exception, match=r".*"):  # the control: without the limit it would be decoded
            examine(png_claiming(7_072, 7_072), name="x")
        assert decoded.called


def test_a_large_picture_is_made_smaller() -> None:
    for kind in ("JPEG", "PNG"):
        kept = examine(picture(kind, (5000, 500)), name="x")
        with Image.open(io.BytesIO(kept.data)) as drawn:
            assert max(drawn.size) == uploads.LONGEST_SIDE and drawn.width == 10 * drawn.height
        assert uploads._REDUCED in kept.notes
    assert uploads._REDUCED not in examine(picture("PNG", (4000, 50)), name="x").notes


def test_a_jpeg_of_endless_passes_is_refused() -> None:
    progressive = picture("JPEG", progressive=True)
    assert examine(progressive, name="x").media_type == "image/jpeg"  # the control
    last = progressive.rindex(b"\xff\xda")
    assert refused(progressive[:last] + progressive[last:-2] * 1000 + b"\xff\xd9") == "pixels"


def test_a_damaged_picture_and_one_in_heic_are_refused() -> None:
    assert refused(picture("PNG")[:60]) == refused(b"\xff\xd8\xff\xe0 not a picture") == "picture"
    assert refused(b"RIFF\x10\0\0\0WEBPVP8 broken.") == "picture"
    assert refused(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic") == "heic"
    assert refused(picture("GIF", mode="L")) == refused(picture("BMP")) == refused(picture("TIFF")) == "kind"


# ---- PDF


def pdf(change: Callable[[Pdf], None] | None = None, **options: Any) -> bytes:
    out = io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page()
        if change:
            change(made)
        made.save(out, **options)
    return out.getvalue()


def script() -> Dictionary:
    return Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))


def _open_action(made: Pdf) -> None:
    made.Root.OpenAction = made.make_indirect(script())


def _in_names(made: Pdf) -> None:
    made.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String("a"), made.make_indirect(script())])))


def _deep_in_a_page(made: Pdf) -> None:
    made.pages[0].obj.AA = Dictionary(O=Dictionary(S=Name.GoTo, Next=Array([Dictionary(S=Name.Named), script()])))


def _launch(made: Pdf) -> None:
    made.Root.OpenAction = made.make_indirect(Dictionary(S=Name.Launch, F=String("calc.exe")))


def _attachment(made: Pdf) -> None:
    made.attachments["x.exe"] = b"MZ"


def _form(made: Pdf) -> None:
    made.Root.AcroForm = Dictionary(Fields=Array([]), XFA=Stream(made, b"<xdp/>"))


def _film(made: Pdf) -> None:
    made.pages[0].obj.Annots = Array([made.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name.RichMedia))])


def _link(made: Pdf) -> None:
    action = Dictionary(S=Name.URI, URI=String("https://example.org"))
    made.pages[0].obj.Annots = Array([made.make_indirect(Dictionary(Subtype=Name.Link, A=action))])


ACTING = [_open_action, _in_names, _deep_in_a_page, _launch, _attachment, _form, _film]


def test_a_plain_pdf_is_kept_as_it_came() -> None:
    data = pdf()
    kept = examine(data, name="lettre.pdf")
    assert (kept.data, kept.media_type, kept.name, kept.notes) == (data, "application/pdf", "lettre.pdf", ())
    assert examine(pdf(_link), name="a").notes == (uploads._LINKS,)
    owner_only = pdf(encryption=pikepdf.Encryption(owner="x", user=""))
    assert examine(owner_only, name="a").data == owner_only  # it opens without a password: banks send these


@pytest.mark.parametrize("change", ACTING, ids=lambda change: change.__name__)
@pytest.mark.parametrize("hidden", [False, True], ids=["plain", "in object streams, encrypted"])
def test_a_pdf_that_acts_is_refused(change: Callable[[Pdf], None], hidden: bool) -> None:
    options: dict[str, Any] = {}
    if hidden:
        options = {
            "object_stream_mode": pikepdf.ObjectStreamMode.generate,
            "encryption": pikepdf.Encryption(owner="x", user=""),
        }
    data = pdf(change, **options)
    if hidden and change in (_open_action, _launch):  # the control: a search in the bytes would not see it
        assert not re.search(rb"/(?:JavaScript|Launch|EmbeddedFile|XFA|RichMedia)", data)
    assert refused(data) == "pdf-acts"


def test_a_pdf_that_hides_its_names_or_an_older_revision_is_refused() -> None:
    spelled = pdf(_open_action).replace(b"/JavaScript", b"/J#61v#61Script")
    assert b"/JavaScript" not in spelled and refused(spelled) == "pdf-acts"
    assert refused(pdf() + b"\n1 0 obj << /S /Launch >> endobj\n%%EOF\n") == "pdf-acts"
    archive = io.BytesIO(pdf())
    with zipfile.ZipFile(archive, "a") as out:
        out.writestr("x.class", "x")
    assert refused(archive.getvalue()) == "pdf-acts"


def test_a_pdf_that_cannot_be_judged_is_refused() -> None:
    assert refused(pdf(encryption=pikepdf.Encryption(owner="x", user="y"))) == "pdf-locked"
    assert refused(b"%PDF-1.7\nnothing") == refused(pdf()[:100]) == "pdf-broken"


def test_a_pdf_is_judged_in_a_process_with_limits() -> None:
    bomb = pdf(lambda made: None, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    assert examine(bomb, name="x").data == bomb
    with patch.object(pdf_reading.subprocess, "run", side_effect=pdf_reading.subprocess.TimeoutExpired("x", 1)):
        assert refused(bomb) == "pdf-broken"
    with patch.object(pdf_reading.subprocess, "run") as killed:
        killed.return_value.stdout = b""  # what is left of a child that the kernel stopped
        assert refused(bomb) == "pdf-broken"


def object_stream_bomb(inflated: int) -> bytes:
    """A PDF of one page whose object stream unpacks to so many bytes more than it needs."""
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
               b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"]  # fmt: skip
    index = b" ".join(b"%d %d" % (n + 1, sum(len(o) + 1 for o in objects[:n])) for n in range(3)) + b" "
    packer = zlib.compressobj(9)
    packed = packer.compress(index + b" ".join(objects))
    for _ in range(inflated // 2**20):
        packed += packer.compress(b" " * 2**20)
    packed += packer.flush()
    out = b"%PDF-1.7\n"
    first_at = len(out)
    out += b"5 0 obj\n<</Type/ObjStm/N 3/First %d/Filter/FlateDecode/Length %d>>stream\n" % (len(index), len(packed))
    out += packed + b"\nendstream\nendobj\n"
    table_at = len(out)
    rows = [(0, 0, 0), (2, 5, 0), (2, 5, 1), (2, 5, 2), (0, 0, 0), (1, first_at, 0), (1, table_at, 0)]
    table = b"".join(struct.pack(">BIB", *row) for row in rows)
    out += b"6 0 obj\n<</Type/XRef/Size 7/W[1 4 1]/Root 1 0 R/Length %d>>stream\n" % len(table)
    return out + table + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % table_at


def test_a_pdf_bomb_is_refused_and_does_not_grow_the_server() -> None:
    assert examine(object_stream_bomb(2**20), name="x").media_type == "application/pdf"  # the control: it is well made
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refused(object_stream_bomb(400 * 2**20)) == "pdf-broken"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


# ---- office files

TYPES = '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">%s</Types>'
MAIN = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
    "docm": "application/vnd.ms-word.document.macroEnabled.main+xml",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml",
}
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def archive(parts: dict[str, bytes | str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return out.getvalue()


def office(kind: str = "docx", **more: bytes | str) -> bytes:
    """A small office file; `more` are parts, "__" for "/" in their names."""
    types = TYPES % f'<Override PartName="/main.xml" ContentType="{MAIN[kind]}"/>'
    parts: dict[str, bytes | str] = {"[Content_Types].xml": types, "main.xml": "<w:document/>"}
    return archive(parts | {name.replace("__", "/"): content for name, content in more.items()})


def odt(**more: bytes | str) -> bytes:
    parts: dict[str, bytes | str] = {"mimetype": uploads.ODT, "content.xml": "<office:document-content/>"}
    return archive(parts | {name.replace("__", "/"): content for name, content in more.items()})


def relation(kind: str, target: str, mode: str = "External") -> dict[str, str]:
    each = f'<Relationship Id="a" Type="{RELATIONS}/{kind}" Target="{target}" TargetMode="{mode}"/>'
    return {"word___rels__document.xml.rels": f"<Relationships>{each}</Relationships>"}


def test_office_files_are_known_by_their_parts_and_kept_as_they_came() -> None:
    for data, media_type, ending in (
        (office("docx"), uploads.DOCX, ".docx"),
        (office("xlsx"), uploads.XLSX, ".xlsx"),
        (odt(), uploads.ODT, ".odt"),
    ):
        kept = examine(data, name="form.doc")
        assert (kept.media_type, kept.data, kept.name) == (media_type, data, f"form.doc{ending}")
    linked = examine(office(**relation("hyperlink", "https://example.org")), name="a.docx")
    assert linked.notes == (uploads._LINKS,)
    assert not examine(office(**relation("styles", "styles.xml", "Internal")), name="a.docx").notes


OFFICE_REFUSED: list[tuple[str, bytes, str]] = [
    ("docm", office("docm"), "macros"),
    ("vba", office(word__vbaProject=b"x", **{"word__vbaProject.bin": b"x"}), "macros"),
    ("vba in capitals", office(**{"word__VBAPROJECT.BIN": b"x"}), "macros"),
    ("activex", office(**{"word__activeX__a.xml": "<a/>"}), "macros"),
    ("xlm", office("xlsx", **{"xl__macrosheets__sheet1.xml": "<a/>"}), "macros"),
    ("basic", odt(**{"Basic__Standard__m.xml": "<a/>"}), "macros"),
    ("listener", odt(**{"styles.xml": "<x><script:event-listener/></x>"}), "macros"),
    ("embedded", office(**{"word__embeddings__a.bin": b"x"}), "embedded"),
    ("ole", office(**{"word__media__a.png": b"\xd0\xcf\x11\xe0rest"}), "embedded"),
    ("nested zip", office(**{"word__media__a.png": archive({"a": b"x"})}), "embedded"),
    ("program", office(**{"word__media__a.png": b"MZ\x90"}), "program"),
    ("template", office(**relation("attachedTemplate", "https://example.org/t.dotm")), "embedded"),
    ("template, spelled", office(**relation("attachedTemplate", "x", "&#69;xternal")), "embedded"),
    ("link to a share", office(**relation("hyperlink", "file://example.org/x")), "embedded"),
    (
        "dde",
        office(**{"word__d.xml": "<w:instrText>DDE</w:instrText><w:instrText>AUTO c:\\cmd</w:instrText>"}),
        "embedded",
    ),
    ("odt fetches", odt(**{"styles.xml": '<draw:image xlink:href="http://example.org/x.png"/>'}), "embedded"),
    ("odt locked", odt(**{"META-INF__manifest.xml": "<manifest:encryption-data/>"}), "old-office"),
    ("entities", office(**{"word__d.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a/>'}), "archive"),
    ("utf-16", office(**{"word__d.xml": "<a/>".encode("utf-16")}), "archive"),
    ("odt fetches, far in the tag", odt(**{"a.xml": f"<draw:image {'a-' * 999} xlink:href='file:///x'/>"}), "embedded"),
    ("field in an attribute", office(**{"word__d.xml": '<w:fldSimple w:instr="DDEAUTO x"/>'}), "embedded"),
    ("endless relations", office(**{"a.rels": "<a>" + "<b/>" * 10**6 + "<b/>" * 10**5 + "</a>"}), "bomb"),
    ("presentation", office("pptx"), "kind"),
    ("any zip", archive({"a.txt": "x"}), "kind"),
    ("empty types", archive({"[Content_Types].xml": "not xml"}), "archive"),
    ("glued before", b"PK\x03\x04" + office(), "archive"),
    ("glued behind", office() + b"<html>", "archive"),
    ("cut", office()[:-30], "archive"),
    ("path", office(**{"..__..__x": b"x"}), "archive"),
    ("names twice", office(**{"MAIN.XML": b"x"}), "archive"),
    ("old", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old-office"),
]


@pytest.mark.parametrize(("data", "code"), [row[1:] for row in OFFICE_REFUSED], ids=[row[0] for row in OFFICE_REFUSED])
def test_office_files_that_act_or_hide_are_refused(data: bytes, code: str) -> None:
    assert refused(data, "form.docx") == code


def test_a_locked_part_is_refused() -> None:
    data = bytearray(office())
    for place in [m.start() for m in re.finditer(b"PK\x01\x02", bytes(data))]:
        data[place + 8] |= 1
    assert refused(bytes(data)) == "old-office"


def test_an_archive_bomb_is_refused_while_it_is_unpacked() -> None:
    bomb = office(**{"word__a.xml": b"<a>" + b" " * (200 * 1024**2)})
    assert len(bomb) < 1024**2
    with patch.object(uploads.zipfile.ZipExtFile, "read", autospec=True, side_effect=zipfile.ZipExtFile.read) as read:
        assert refused(bomb) == "bomb"
        assert read.call_count <= uploads.MOST_INFLATED / 65536 + 10  # it stopped there, not at the end
    assert refused(office(**{f"p__{number}.xml": b"<a/>" for number in range(2100)})) == "bomb"
    with patch.object(uploads, "MOST_INFLATED", 10**12):  # the control
        assert examine(office(**{"word__a.xml": b"<a>" + b" " * (70 * 1024**2)}), name="x").media_type == uploads.DOCX


def test_a_part_that_lies_about_its_size_is_refused() -> None:
    data = bytearray(office(**{"word__a.xml": b"<a>" + b" " * 100_000}))
    place = bytes(data).rfind(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<I", 10)
    assert refused(bytes(data)) == "archive"


# ---- text, and everything else


def test_plain_text_is_utf_8() -> None:
    text = "Bonjour, سلام, Слава\r\n\tfin".encode()
    assert examine(text, name="note.txt").media_type == "text/plain"
    assert examine(b"\xef\xbb\xbfa;b\r\n1;2", name="T.CSV").media_type == "text/csv"
    assert examine(b"a,b\n-cmd|x,1", name="t.csv").notes == (uploads._FORMULAS,)
    assert examine(b"a,b\n1,-2\n+3,4", name="t.csv").notes == ()
    assert examine(b"a,b\n=cmd|' /C calc'!A0,4", name="t.csv").notes == (uploads._FORMULAS,)
    assert refused("écrit".encode("latin-1")) == refused("écrit".encode("utf-16")) == "encoding"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "page"),
        (b"\xef\xbb\xbf  <?xml version='1.0'?><svg/>", "page"),
        (b"<!DOCTYPE html><p>", "page"),
        (b"\n<HTML>", "page"),
        (b"<!-- --><script>", "page"),
        (b"<iframe src=x>", "page"),
        (b"MZ\x90\x00", "program"),
        (b"\x7fELF\x02", "program"),
        (b"#!/bin/sh\nrm", "program"),
        (b"<?php echo", "program"),
        (b"{\\rtf1 x}", "old-office"),
        (b"plain\n%PDF-1.7", "kind"),
        (b"a\x00b", "kind"),
        (b"\x1b]0;title\x07", "kind"),
        (bytes(range(256)), "kind"),
        (b"", "empty"),
        (b"a" * (uploads.LARGEST + 1), "large"),
    ],
)
def test_what_is_no_document_is_refused_whatever_its_name(data: bytes, code: str) -> None:
    for name in ("photo.jpg", "lettre.pdf", "note.txt"):
        assert refused(data, name) == code


def test_no_more_is_read_than_may_be_kept() -> None:
    class Endless:
        asked = 0

        def seek(self, place: int, /) -> None: ...

        def read(self, size: int = -1, /) -> bytes:
            assert size > 0
            self.asked += size
            return b"a" * size

    endless = Endless()
    with pytest.raises(UploadRefused) as caught:
        examine(endless, name="x", largest=1000)
    assert caught.value.code == "large" and endless.asked == 1001


SEEDS = [picture("PNG", (6, 4)), picture("JPEG", (6, 4)), picture("WEBP", (6, 4)), office(), odt(), b"plain, text\n=1"]


@hypothesis_settings(max_examples=150, deadline=None)
@given(st.sampled_from(SEEDS) | st.binary(max_size=300), st.integers(), st.integers(0, 12), st.text(max_size=30))
@example(b"PK\x05\x06" + bytes(18), 0, 0, "x")
def test_any_bytes_are_kept_or_refused_and_nothing_else(seed: bytes, chance: int, changes: int, name: str) -> None:
    rng = random.Random(chance)
    data = bytearray(seed)
    for _ in range(changes if data else 0):
        data[rng.randrange(len(data))] = rng.randrange(256)
    try:
        kept = examine(bytes(data), name=name)
    except UploadRefused:
        return
    assert kept.media_type in uploads.ENDINGS and kept.name.lower().endswith(uploads.ENDINGS[kept.media_type])


def test_a_file_that_was_looked_at_is_read_from_its_start() -> None:
    file = io.BytesIO(b"plain text")
    file.read(5)
    assert examine(file, name="x").data == b"plain text"


# ---- names and answers


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\a\\lettre.pdf", "lettre.pdf"),
        ("a\r\nSet-Cookie: x.pdf", "a Set-Cookie_ x.pdf"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("  .htaccess  ", "htaccess"),
        ("con.pdf", "_con.pdf"),
        ("رسالة.pdf", "رسالة.pdf"),
        ("می\u200cروم.pdf", "می\u200cروم.pdf"),
        ("a" * 500 + ".pdf", "a" * 96 + ".pdf"),
        ("\0\ud800/", ""),
        ("", ""),
    ],
)
def test_a_name_is_cleaned(name: str, clean: str) -> None:
    assert uploads.clean_name(name) == clean


@given(st.text(st.characters(), max_size=300), st.sampled_from(sorted(uploads.ENDINGS)))
def test_any_name_becomes_one_that_fits(name: str, media_type: str) -> None:
    fitting = uploads.fitting_name(name, media_type)
    assert 0 < len(fitting) <= uploads.LONGEST_NAME and fitting.lower().endswith(uploads.ENDINGS[media_type])
    assert uploads.clean_name(fitting) == fitting and not re.search(r'[/\\\x00-\x1f"<>\u202a-\u202e]', fitting)
    header = uploads.safe_disposition(name)
    assert re.fullmatch(r"attachment; filename=\"[A-Za-z0-9 ._()+-]+\"; filename\*=UTF-8''[A-Za-z0-9%._~-]+", header)
    HttpResponse(headers={"Content-Disposition": header})


def test_a_download_is_saved_and_never_shown(settings: Any) -> None:
    answer = uploads.download(b"x", name="رسالة é.pdf", media_type="application/pdf")
    assert answer["Content-Disposition"].startswith('attachment; filename="')
    assert "filename*=UTF-8''%D8%B1" in answer["Content-Disposition"]
    assert answer["X-Content-Type-Options"] == "nosniff" and "no-store" in answer["Cache-Control"]
    assert uploads.download(b"x", name="a", media_type="text/html")["Content-Type"] == "application/octet-stream"
    from csp.middleware import CSPMiddleware

    through = CSPMiddleware(lambda request: answer)(RequestFactory().get("/"))
    assert through["Content-Security-Policy"] == "sandbox; default-src 'none'"  # the site's own does not replace it


# ---- the scanner


class Daemon:
    """A little clamd on a socket: reads INSTREAM as the manual says, and answers as told."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.limit = 10**9
        self.behaviour = "answer"
        self.release = threading.Event()

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer, peer.makefile("rb") as lines:
                try:
                    peer.sendall(self.answer(lines))
                except OSError:
                    continue

    def answer(self, lines: Any) -> bytes:
        if lines.read(10) != b"zINSTREAM\0":
            return b"UNKNOWN COMMAND\0"
        data = b""
        while length := int.from_bytes(lines.read(4), "big"):
            data += lines.read(length)
            if len(data) > self.limit:
                return b"INSTREAM size limit exceeded. ERROR\0"
        self.received.append(data)
        if self.behaviour == "hang":
            self.release.wait(30)
        if self.behaviour in ("nothing", "hang"):
            return b""
        if self.behaviour == "half":
            return b"stream: OK"
        if self.behaviour == "endless":
            return b"x" * 100_000
        return b"stream: Test-Signature FOUND\0" if b"INFECTED" in data else b"stream: OK\0"


@contextmanager
def listening(listener: socket.socket) -> Iterator[Daemon]:
    daemon = Daemon()
    listener.listen()
    thread = threading.Thread(target=daemon.serve, args=(listener,), daemon=True)
    thread.start()
    try:
        yield daemon
    finally:
        daemon.release.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


@pytest.fixture(params=["tcp", "unix"])
def daemon(request: Any, tmp_path: Path) -> Iterator[tuple[Daemon, str]]:
    if request.param == "tcp":
        listener = socket.create_server(("127.0.0.1", 0))
        url = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    else:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "c"))
        url = f"unix://{tmp_path}/c"
    with listening(listener) as served:
        yield served, url


def test_the_scanner_asks_the_daemon(daemon: tuple[Daemon, str], settings: Any) -> None:
    served, settings.CLAMAV_URL = daemon
    big = random.Random(1).randbytes(3 * uploads.PIECE + 17)
    assert uploads.scanner().scan(big) == Clean()
    assert uploads.scanner().scan(b"") == Clean()
    assert uploads.scanner().scan(b"an INFECTED file") == Infected("Test-Signature")
    assert served.received == [big, b"", b"an INFECTED file"]


def test_a_file_beyond_the_daemons_limit_is_not_called_clean(daemon: tuple[Daemon, str]) -> None:
    served, url = daemon
    served.limit = 10_000
    verdict = Scanner(url).scan(bytes(5_000_000))
    assert isinstance(verdict, Unavailable)


@pytest.mark.parametrize("behaviour", ["nothing", "half", "endless", "hang"])
def test_a_daemon_that_does_not_answer_is_unavailable(daemon: tuple[Daemon, str], behaviour: str) -> None:
    served, url = daemon
    served.behaviour = behaviour
    verdict = Scanner(url, seconds=0.3).scan(b"x")
    assert isinstance(verdict, Unavailable) and verdict.reason
    served.release.set()
    served.behaviour = "answer"  # the control: the same daemon, when it answers, is believed
    assert Scanner(url).scan(b"x") == Clean()


@pytest.mark.parametrize(
    "url", ["", "tcp://127.0.0.1:9", "unix:///nowhere/c", "http://127.0.0.1", "tcp://", "tcp://a:b"]
)
def test_no_daemon_is_unavailable(url: str, settings: Any) -> None:
    settings.CLAMAV_URL = url
    assert isinstance(uploads.scanner().scan(b"x"), Unavailable)
