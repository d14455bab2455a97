"""`parvis import hsds` and `parvis export hsds`."""

import os
import re
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import click

from parvis.site.commands.office import choose_city, open_office

MOST_BYTES = 1 << 30  # of a download
TIMEOUT = 60  # seconds without a byte


@click.command("hsds")
@click.argument("path", metavar="PATH|URL")
@click.option("--city", "schema", default="", help="The city's schema; the default city when left out.")
@click.option("--source", default="", help="Name under which this source's rows are known: a second import of the "
              "same source updates them. Default: the name of the package, without .zip.")  # fmt: skip
@click.option("--language", default="", help="The language that its texts are written in: fr, en, pt-BR. Default: "
              "what the files say; else nobody knows, and readers see \u201cnot translated yet\u201d.")  # fmt: skip
@click.option("--report", "report_file", type=click.Path(dir_okay=False, writable=True), default=None,
              help="Write the report here too: HTML when the name ends in .html, else JSON.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Do everything, then take it back.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def import_hsds(
    path: str, schema: str, source: str, language: str, report_file: str | None, dry_run: bool, as_json: bool
) -> None:
    """Import an HSDS folder, zip, JSON, ndjson or CSV file, or the one at an http(s) URL.

    Known: HSDS 3.x, 2.x and 1.1, Ohana, and the export of a widespread directory tool. All or nothing.
    """
    remote = re.match(r"(?i)[a-z][a-z0-9+.\-]*://", path)
    if remote and urlsplit(path).scheme.lower() not in ("http", "https"):
        raise click.UsageError("only http and https addresses can be imported")
    if not remote and not Path(path).exists():
        raise click.UsageError(f"there is no file or folder {path}")
    if language:
        from parvis.core.language import normalise

        try:
            language = normalise(language)
        except ValueError:
            raise click.UsageError(f"{language} is no language tag such as fr, en or pt-BR") from None
    open_office()
    choose_city(schema)
    from parvis.core.hsds_files import HsdsError
    from parvis.directory.importing import import_hsds as run
    from parvis.directory.importing import report_page

    try:
        with _there(path, bool(remote)) as (place, name), _progress() as tell:
            imported = run(
                place, source=source or name, language=language, progress=tell, dry_run=dry_run, by="import",
                shown_path=path,
            )  # fmt: skip
    except HsdsError as error:
        click.echo(f"parvis: {error}", err=True)
        sys.exit(1)
    import orjson

    whole = imported.as_dict()
    whole["dry_run"] = dry_run
    if report_file:
        if report_file.lower().endswith((".html", ".htm")):
            Path(report_file).write_text(report_page(whole), encoding="utf-8", errors="replace")
        else:
            Path(report_file).write_bytes(orjson.dumps(whole, option=orjson.OPT_INDENT_2, default=str))
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(whole, option=orjson.OPT_INDENT_2, default=str) + b"\n")
        return
    _print(whole)
    for file in imported.files:
        click.echo(f"report\t{file}")


#: who said in which language the texts are
_SAID = {"asked": "as asked", "file": "the files say so", "city": "nobody said: the city's first language"}


def _print(whole: dict[str, Any]) -> None:
    """The account on standard output, one file a line, fields separated by tabs."""
    names = ("read", "written", "merged", "repaired", "refused", "added")
    click.echo(f"{whole['package']}: {whole['shape']}, source {whole['source']}" + (" (dry run)" * whole["dry_run"]))
    click.echo(f"language\t{whole['language']}\t{_SAID[whole['language_from']]}")
    click.echo("\t".join(("file", *names)))
    for file in [*whole["files"], {"file": "all files", **whole["totals"]}]:
        click.echo("\t".join([file["file"], *(str(file[name]) for name in names)]))
    for ignored in whole["ignored_files"]:
        click.echo(f"not read\t{ignored['file']}\t{ignored['why']}")
    for column in whole["columns_as_terms"]:
        click.echo(f"kept as a taxonomy\t{column['file']}\t{column['column']}\t{column['values']} values")
    for column in whole["columns_without_place"]:
        click.echo(f"no place in HSDS\t{column['file']}\t{column['column']}\t{column['values']} values")
    tally: dict[tuple[str, str, str, str], int] = {}
    for finding in whole["findings"]:
        key = (finding["done"], finding["file"], finding["field"], finding["sentence"])
        tally[key] = tally.get(key, 0) + 1
    for (done, file, field, sentence), count in sorted(tally.items(), key=lambda item: (item[0][0], -item[1])):
        click.echo(f"{done}\t{count}\t{file}\t{field}\t{sentence}")
    click.echo("directory\t" + ", ".join(f"{name} {number}" for name, number in whole["changes"].items()))


@contextmanager
def _there(path: str, remote: bool) -> Iterator[tuple[Path, str]]:
    """The file on disk, and the name of its source ("" = the file's own)."""
    if not remote:
        yield Path(path), ""
        return
    with tempfile.TemporaryDirectory(prefix="parvis-") as folder:
        yield _download(path, Path(folder))


class _OnlyWeb(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        from parvis.core.hsds_files import HsdsError

        if urlsplit(newurl).scheme.lower() not in ("http", "https"):
            raise HsdsError(f"{req.full_url} leads to an address that is not on the web.")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _download(url: str, folder: Path) -> tuple[Path, str]:
    """Fetch `url` into `folder`, at most MOST_BYTES. HsdsError."""
    from parvis.core.hsds_files import HsdsError

    parts = urlsplit(url)
    name = re.sub(r"[^\w.\-]", "_", unquote(Path(parts.path).name))[-100:].lstrip(".") or "download"
    opener = urllib.request.build_opener(_OnlyWeb())
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "Parvis", "Accept-Encoding": "identity"})  # noqa: S310
        with opener.open(request, timeout=TIMEOUT) as answer:
            kind = answer.headers.get_content_type()
            endings = {"application/zip": ".zip", "application/json": ".json", "text/csv": ".csv",
                       "application/x-ndjson": ".ndjson"}  # fmt: skip
            if Path(name).suffix.lower() not in (".zip", ".json", ".ndjson", ".jsonl", ".csv", ".tsv"):
                name += endings.get(kind, "")
            place = folder / name
            size = 0
            with place.open("wb") as file:
                while chunk := answer.read(1 << 20):
                    size += len(chunk)
                    if size > MOST_BYTES:
                        raise HsdsError(f"{url} is larger than {MOST_BYTES >> 20} MB.")
                    file.write(chunk)
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise HsdsError(f"{url} cannot be fetched: {reason}.") from error
    return place, f"{parts.hostname or ''}/{place.stem}"[:80]


@contextmanager
def _progress() -> Iterator[Any]:
    """A progress line on standard error, when somebody is looking."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,.0f} rows"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading", total=None)

        def tell(phase: str, number: int) -> None:
            progress.update(task, description=phase, completed=number)

        yield tell


@click.command("hsds")
@click.argument("out", type=click.Path())
@click.option("--city", "schema", default="", help="The city's schema; the default city when left out.")
@click.option("--format", "form", type=click.Choice(["json", "ndjson", "tabular", "zip"]), default=None,
              help="json: a list; ndjson: one object a line; tabular: a folder with datapackage.json; zip: the same "
              "zipped. Default: by the ending of OUT, else tabular.")  # fmt: skip
def export_hsds(out: str, schema: str, form: str | None) -> None:
    """Export the directory as HSDS 3.2 to OUT (a file, or a folder for `tabular`; - for standard output)."""
    if form is None:
        form = {".json": "json", ".ndjson": "ndjson", ".jsonl": "ndjson", ".zip": "zip"}.get(
            Path(out).suffix.lower(), "tabular"
        )
    if out == "-" and form in ("tabular", "zip"):
        raise click.UsageError("only json and ndjson can go to standard output")
    if form != "tabular" and out != "-" and Path(out).is_dir():
        raise click.UsageError(f"{out} is a folder: name a file")
    if form == "tabular" and Path(out).is_file():
        raise click.UsageError(f"{out} is a file: name a folder, or give --format")
    open_office()
    choose_city(schema)
    from parvis.directory.exporting import export_json, export_tabular

    try:
        with _progress() as tell:
            if form in ("tabular", "zip"):
                count = export_tabular(Path(out), zipped=form == "zip", progress=tell)
            elif out == "-":
                count = export_json(sys.stdout.buffer, lines=form == "ndjson", progress=tell)
            else:
                count = _to_file(Path(out), form, tell)
    except OSError as error:
        click.echo(f"parvis: {out} cannot be written: {error.strerror or error}", err=True)
        sys.exit(1)
    if out != "-":
        click.echo(f"{out}\t{count} {'rows' if form in ('tabular', 'zip') else 'objects'}")


def _to_file(out: Path, form: str, tell: Any) -> int:
    """Write through a file beside it, so that a broken export never stands where a whole one is expected."""
    from parvis.directory.exporting import export_json

    draft = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            count = export_json(file, lines=form == "ndjson", progress=tell)
        shutil.move(draft, out)
    finally:
        draft.unlink(missing_ok=True)
    return count
