"""The protocol's versions as plans read them: each parsed once in a process, because a published one never changes."""

import tomllib
import uuid
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources

from django.db import connection
from django.utils import timezone

from parvis.core import protocol
from parvis.core.protocol import Protocol, ProtocolStep, read, say
from parvis.plans.models import ProtocolVersion, VersionState

MOST_KEPT = 64


def current() -> ProtocolVersion:
    """The version that new plans stand on: the latest published. A city without one begins with a shipped one."""
    found = ProtocolVersion.objects.filter(state=VersionState.PUBLISHED).defer("data").order_by("-number").first()
    return found or first()


def published(number: int) -> ProtocolVersion | None:
    """The published version of this number; None if there is none."""
    return ProtocolVersion.objects.filter(state=VersionState.PUBLISHED, number=number).defer("data").first()


def first() -> ProtocolVersion:
    """Publish the protocol that comes with Parvis: Québec's for a city in Canada, else the generic one."""
    code = "quebec" if getattr(connection.tenant, "country", "") == "CA" else "generic"
    data = protocol.as_json(protocol.shipped_data(code))
    number = 1 + (ProtocolVersion.objects.order_by("-number").values_list("number", flat=True).first() or 0)
    found, _made = ProtocolVersion.objects.get_or_create(
        number=number, defaults={"state": VersionState.PUBLISHED, "data": data, "published_at": timezone.now()}
    )
    return found


def of(pk: uuid.UUID) -> Protocol:
    """The protocol of a version, ready to derive from. Raises ProtocolVersion.DoesNotExist."""
    return _read(connection.schema_name, pk)


@lru_cache(maxsize=MOST_KEPT)
def _read(schema: str, pk: uuid.UUID) -> Protocol:
    version = ProtocolVersion.objects.get(pk=pk)
    if version.state == VersionState.DRAFT:
        raise ValueError("a draft changes: no plan stands on it")
    return read(version.data)


def step(pk: uuid.UUID, code: str) -> ProtocolStep | None:
    return of(pk).by_code.get(code)


def title(found: ProtocolStep | None, language: str, code: str = "") -> str:
    """What a step is called in a language: as the protocol says, as we have it besides, or in French or English."""
    if found is None:
        return code
    return said(found.code, found.title, language)


def said(code: str, texts: Mapping[str, str], language: str) -> str:
    """The title of a step of the protocol, of which only its texts were read."""
    short = language.partition("-")[0]
    if short not in texts and language not in texts:
        besides = _titles().get(short, {}).get(code)
        if besides:
            return besides
    return say(texts, language, "fr", "en")


@lru_cache(maxsize=1)
def _titles() -> dict[str, dict[str, str]]:
    file = resources.files("parvis.plans") / "data" / "titles.toml"
    return tomllib.loads(file.read_text("utf-8"))
