"""The console command `parvis`. Commands are imported when they are called: `--help` stays quick."""

import importlib
import sys
from typing import Any

import click

from parvis import __version__

#: command path -> "module:attribute" of a click command
COMMANDS = {
    "run": "parvis.site.commands.run:run",
    "city add": "parvis.site.commands.city:add",
    "city list": "parvis.site.commands.city:list_",
    "import hsds": "parvis.site.commands.hsds:import_hsds",
    "import arrivals": "parvis.site.commands.arrivals:import_arrivals",
    "export hsds": "parvis.site.commands.hsds:export_hsds",
    "demo": "parvis.site.commands.demo:demo",
    "user add": "parvis.site.commands.user:add",
    "protocol check": "parvis.site.commands.protocol:check",
    "protocol show": "parvis.site.commands.protocol:show",
    "ledger verify": "parvis.site.commands.ledger:verify",
    "plans rederive": "parvis.site.commands.plans:rederive",
    "datamap": "parvis.site.commands.privacy:datamap",
    "purge": "parvis.site.commands.privacy:purge",
    "erase": "parvis.site.commands.privacy:erase",
    "keys list": "parvis.site.commands.privacy:keys_list",
    "keys rotate": "parvis.site.commands.privacy:keys_rotate",
    "keys retire": "parvis.site.commands.privacy:keys_retire",
    "ledger anchor": "parvis.site.commands.ledger:anchor",
    "backup": "parvis.site.commands.backup:backup",
    "restore": "parvis.site.commands.backup:restore",
    "migrate": "parvis.site.commands.database:migrate",
    "worker": "parvis.site.commands.run:worker",
    "prepare": "parvis.site.commands.run:prepare",
    "welcome": "parvis.site.commands.run:welcome",
    "catalogues": "parvis.site.commands.catalogues:catalogues",
    "bench": "parvis.site.commands.bench:bench",
    "manage": "parvis.site.commands.database:manage",
}
#: what `run` and developers call; not for the list that a person reads
INSIDE = {"manage", "worker", "prepare", "welcome", "catalogues"}
GROUPS = {
    "city": "Cities of this installation.",
    "import": "Bring data in.",
    "export": "Take data out.",
    "user": "People who sign in.",
    "plans": "Work on all plans.",
    "protocol": "The welcome plan's protocol as a file.",
    "ledger": "The record of every write.",
    "keys": "The key that wraps every person's data key.",
}


class Lazy(click.Group):
    """A group whose commands are found in COMMANDS under its own path."""

    def __init__(self, *args: Any, path: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.path = path

    def list_commands(self, ctx: click.Context) -> list[str]:
        names = {key.removeprefix(self.path).strip().split(" ")[0] for key in COMMANDS if key.startswith(self.path)}
        return sorted(names - INSIDE if not self.path else names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        path = f"{self.path} {cmd_name}".strip()
        if path in GROUPS:
            return Lazy(name=cmd_name, path=path, help=GROUPS[path])
        if path not in COMMANDS:
            return None
        module, attribute = COMMANDS[path].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Parvis: the software of a city's newcomer integration office."""


def cli() -> None:
    """Run the command line; exit status 0 (done), 1 (it failed) or 2 (used badly)."""
    from parvis.site.boot import CannotStart

    try:
        main()
    except CannotStart as error:
        click.echo(f"parvis: {error}", err=True)
        sys.exit(1)
    except Exception as error:
        if type(error).__name__ not in ("OperationalError", "InterfaceError"):
            raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        click.echo(f"parvis: the database does not answer: {reason}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        click.echo("parvis: stopped", err=True)
        sys.exit(1)
