"""Who is called when somebody is in danger, and what the law asks: data with its sources, one file a place.

Another city brings its own file (`PARVIS_DANGERS` names it); one that is not known gets the generic one.
"""

import datetime as dt
import os
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from parvis.core.protocol import say


@dataclass(frozen=True, slots=True)
class Danger:
    """One button: a short code, whom it calls, and the path that opens. Texts in the reader's language."""

    code: str
    title: str
    telephone: str
    when: str
    steps: tuple[str, ...]
    law: tuple[str, ...]
    sources: tuple[str, ...]
    checked_on: dt.date | None

    @property
    def tel(self) -> str:
        return "".join(char for char in self.telephone if char.isdigit() or char == "+")


@lru_cache(maxsize=8)
def _data(country: str, own: str) -> dict[str, Any]:
    if own:
        return tomllib.loads(Path(own).read_text("utf-8"))
    folder = resources.files("parvis.plans") / "data"
    file = folder / f"dangers-{country.lower()}.toml"
    return tomllib.loads((file if file.is_file() else folder / "dangers.toml").read_text("utf-8"))


def dangers(country: str, language: str) -> list[Danger]:
    """The buttons of a place, most urgent first."""
    data = _data(country, os.environ.get("PARVIS_DANGERS", ""))
    return [_danger(row, language) for row in data["danger"]]


def _danger(row: dict[str, Any], language: str) -> Danger:
    def texts(name: str) -> tuple[str, ...]:
        return tuple(say(each, language, "fr", "en") for each in row.get(name, ()))

    return Danger(
        row["code"], say(row["title"], language, "fr", "en"), row["telephone"], say(row["when"], language, "fr", "en"),
        texts("steps"), texts("law"), tuple(row.get("sources", ())), row.get("checked_on"),
    )  # fmt: skip
