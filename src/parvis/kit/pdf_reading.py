"""What a PDF can do besides being read: judged in a process of its own, with limits of time and memory.

`python -m parvis.kit.pdf_reading < file.pdf` prints one line of JSON: {"found": [...]} or {"error": why}.
Found may be: script, launch, files, media, form (XFA, whose scripts no other reader knows), links.
No Django here: the process must start quickly.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
from typing import Any

SECONDS = 20
MEMORY = 1024**3  # bytes of address space: pictures are never decoded here
INFLATED = 64 * 1024**2  # bytes of one inflated stream

_KEYS = {"/JS": "script", "/JavaScript": "script", "/EmbeddedFiles": "files", "/EF": "files", "/XFA": "form",
         "/RichMediaContent": "media"}  # fmt: skip
_ACTIONS = {
    "/JavaScript": "script", "/Launch": "launch", "/ImportData": "launch", "/GoToE": "files", "/Rendition": "media",
    "/Movie": "media", "/Sound": "media", "/RichMediaExecute": "media", "/URI": "links", "/GoToR": "links",
    "/SubmitForm": "links",
}  # fmt: skip
_KINDS = {"/EmbeddedFile": "files", "/RichMedia": "media", "/3D": "media", "/Movie": "media", "/Sound": "media",
          "/FileAttachment": "files", "/Screen": "media"}  # fmt: skip
# Also in the bytes themselves: an older revision inside the file is not in its table of objects.
_BYTES = {b"/JavaScript": "script", b"/Launch": "launch", b"/EmbeddedFile": "files", b"/RichMedia": "media"}


# All that the child gets of our environment, which holds keys and passwords.
_NEEDED = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "SYSTEMROOT")


class CannotRead(Exception):
    """The PDF was not judged. `why` is "locked" (a password), "broken", or "heavy" (too long or too large to judge)."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def abilities(data: bytes) -> frozenset[str]:
    """What the PDF can do (see the module). Raises CannotRead. Takes at most `SECONDS` and `MEMORY`, elsewhere."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "parvis.kit.pdf_reading"],
            env={name: os.environ[name] for name in _NEEDED if name in os.environ},
            input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=SECONDS + 10, check=False,
        )  # fmt: skip
        answer = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError, OSError) as error:  # no time, no answer, no process
        raise CannotRead("heavy") from error
    if "error" in answer:
        raise CannotRead(answer["error"])
    return frozenset(answer["found"])


def judge(data: bytes) -> set[str]:
    """What `abilities` says, in this process and without its limits of time and memory. Raises CannotRead."""
    import io

    import pikepdf
    from pikepdf import settings

    settings.set_qpdf_limits(
        flate_max_memory=INFLATED, run_length_max_memory=INFLATED, png_max_memory=INFLATED, tiff_max_memory=INFLATED,
        max_stream_filters=5, doc_max_warnings=1000,
    )  # fmt: skip
    plain = re.sub(rb"#([0-9A-Fa-f]{2})", lambda match: bytes([int(match[1], 16)]), data)
    found = {kind for name, kind in _BYTES.items() if name in plain}
    try:
        with pikepdf.open(io.BytesIO(data)) as pdf:
            if not len(pdf.pages):
                raise CannotRead("broken")
            for each in pdf.objects:
                found |= _seen(each)
    except pikepdf.PasswordError as error:
        raise CannotRead("locked") from error
    except (pikepdf.PdfError, pikepdf.PikepdfError, ValueError, TypeError, RuntimeError) as error:
        raise CannotRead("broken") from error
    return found


def _seen(top: Any) -> set[str]:
    """What one object and all that is written inside it says it can do."""
    import pikepdf

    found: set[str] = set()
    inside = [top]
    while inside:
        each = inside.pop()
        if isinstance(each, pikepdf.Array):
            inside.extend(part for part in each if isinstance(part, pikepdf.Object) and not part.is_indirect)
            continue
        if not isinstance(each, (pikepdf.Dictionary, pikepdf.Stream)):
            continue
        for key, value in each.items():
            if key in _KEYS:
                found.add(_KEYS[key])
            if isinstance(value, pikepdf.Name):
                table = {"/S": _ACTIONS, "/Type": _KINDS, "/Subtype": _KINDS}.get(key, {})
                found |= {table[str(value)]} if str(value) in table else set()
            elif isinstance(value, pikepdf.Object) and not value.is_indirect:
                inside.append(value)
    return found


def _limit() -> None:
    with contextlib.suppress(ImportError):  # not a POSIX system: the time limit of the caller remains
        import resource

        for kind, most in (
            (resource.RLIMIT_AS, MEMORY),
            (resource.RLIMIT_CPU, SECONDS),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, 0),
        ):
            resource.setrlimit(kind, (most, most))


def main() -> None:
    """The child process: judge standard input, answer on standard output."""
    _limit()
    try:
        answer: dict[str, Any] = {"found": sorted(judge(sys.stdin.buffer.read()))}
    except CannotRead as error:
        answer = {"error": error.why}
    except (MemoryError, RecursionError):
        answer = {"error": "heavy"}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
