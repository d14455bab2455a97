"""`parvis protocol check` and `parvis protocol show`: the protocol as a file. They need no database."""

import sys
import tomllib
from pathlib import Path

import click

from parvis.core import protocol


@click.command("check")
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(path: Path) -> None:
    """Read a protocol's TOML file; name each step that breaks a rule, and end with 1 if there is one."""
    try:
        data = protocol.load(path)
        found = protocol.faults(data)
    except protocol.BadProtocol as bad:
        found = bad.faults
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{path}: {error}") from None
    for fault in found:
        click.echo(str(fault))
    if found:
        click.echo(f"{len(found)} faults: refused")
        sys.exit(1)
    read = protocol.read(data)
    checked = sum(step.to_be_checked for step in read.steps)
    click.echo(
        f"{read.code} {read.edition}: {len(read.steps)} steps, {len(read.legal)} legal deadlines, "
        f"{checked} to be checked by the office; no fault"
    )


@click.command("show")
@click.argument("code", type=click.Choice(protocol.SHIPPED), default="quebec")
def show(code: str) -> None:
    """Print a protocol that comes with Parvis, whole, as a file to begin one's own from."""
    click.echo(protocol.to_toml(protocol.shipped_data(code)), nl=False)
