"""The data map: every personal field of the installation, why it is kept, how long, sealed or not, and who may see it.

Made from what the models declare and from the policies themselves, so that it can't tell anything else than they do.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.apps import apps
from django.db import models

from parvis.cases import policies
from parvis.core.access import NEVER_SHARED, OWN, SELF, DataClass
from parvis.kit.models import RETENTION, Personal
from parvis.kit.policies import Place
from parvis.kit.sealing import SealedField
from parvis.kit.server import Roles


@dataclass(frozen=True)
class Line:
    """One personal field."""

    table: str
    column: str
    purpose: str
    data_class: str
    retention: str
    days: int | None
    sealed: bool
    who: str


def lines() -> list[Line]:
    """Every field that a model of ours declares personal, by table and column."""
    found = [line for model in ours() for line in _of(model)]
    return sorted(found, key=lambda line: (line.table, line.column))


def ours() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model.__module__.startswith("parvis.")]


def problems(model: Any) -> list[str]:
    """What a model does not say of its personal fields: a sentence each, none when all is said."""
    personal: dict[str, Personal] = getattr(model, "personal", {})
    found = [] if personal or getattr(model, "not_personal", "") else ["says nothing of personal data"]
    names = {field.name for field in model._meta.get_fields()}
    classes = {"public", "account", *(member.name.lower() for member in DataClass if member.name)}
    for field, said in personal.items():
        if field not in names:
            found.append(f"{field}: there is no such field")
        if not said.purpose.strip():
            found.append(f"{field}: without a purpose")
        if said.retention not in RETENTION:
            found.append(f"{field}: without a retention class")
        if said.data_class not in classes:
            found.append(f"{field}: of no class of data")
    sealed = {field.name for field in model._meta.concrete_fields if isinstance(field, SealedField)}
    found += [f"{field}: sealed and not declared" for field in sorted(sealed - set(personal))]
    if not getattr(model, "not_personal", ""):
        columns = {field.name for field in model._meta.concrete_fields} - {"id"}
        found += [f"{field}: not declared" for field in sorted(columns - set(personal))]
    return found


def _of(model: type[models.Model]) -> Iterator[Line]:
    personal: dict[str, Personal] = getattr(model, "personal", {})
    for name, said in personal.items():
        field = model._meta.get_field(name)
        retention = RETENTION[said.retention]
        yield Line(
            table=model._meta.db_table,
            column=str(getattr(field, "column", name)),
            purpose=said.purpose,
            data_class=said.data_class,
            retention=said.retention,
            days=retention.days,
            sealed=isinstance(field, SealedField),
            who=_who(model, said.data_class),
        )


def _who(model: type[models.Model], code: str) -> str:
    """In words, from the class of data and the kind of policy that locks the table."""
    if code == "public":
        return "everybody"
    if code == "account":
        return "the person who signs in; administrators"
    if model.__name__ in REGISTERS:
        return REGISTERS[model.__name__]
    if getattr(model, "data_class", DataClass.IDENTITY) is None and not _by_row(model):
        return "who keeps the file"
    wanted = DataClass[code.upper()]
    readers = ["lead and backup worker"]
    if OWN & wanted:
        readers = ["the holder's workers (of a restricted file: lead, backup and who is named)"]
    elif not wanted & DataClass.CONFIDENTIAL:
        readers.append("who is named")
    if not wanted & NEVER_SHARED:
        readers.append("organizations the person agreed to, for this class")
    if SELF & wanted:
        readers.append("the person; who answers their request")
    if not wanted & DataClass.CONFIDENTIAL:
        readers.append("emergency access")
    return "; ".join(readers)


def _by_row(model: type[models.Model]) -> bool:
    return "row_class" in {field.name for field in model._meta.concrete_fields}


_REGISTER = "who keeps the file; the person; the privacy officer"
#: tables whose policy is their own: `cases.policies._SPECIAL`
REGISTERS = {
    "Consent": f"{_REGISTER}; the organizations it names",
    "Withdrawal": f"{_REGISTER}; the organizations the consent names",
    "BreakGlass": "who used it; the privacy officer; who keeps the file",
    "Incident": "the privacy officer; who reported it",
    **dict.fromkeys(
        ("DataRequest", "IdentityCheck", "Rectification", "Disclosure", "DisclosureApproval", "ExportLink", "Erasure",
         "IncidentPerson"),
        _REGISTER,
    ),
}  # fmt: skip


def policy(table: str) -> dict[str, str]:
    """The conditions under which rows of a table are shown and written (SQL), for the machine-readable map."""
    roles = Roles("app", "public", "worker", "audit", "backup")
    return policies.tables(Place("city", roles, citus=False)).get(table, {})


def document() -> list[dict[str, Any]]:
    """The map with its policies, to be written as JSON."""
    return [asdict(line) | {"policy": policy(line.table).get("SELECT", "")} for line in lines()]
