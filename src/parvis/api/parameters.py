"""What the API may be asked, list by list: pydantic models compiled once, read from a query string or a POST body."""

import datetime as dt
import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import parse_qsl

import orjson
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from parvis.core import hsds

MOST_PER_PAGE = 1000
MOST_MINIMAL = 100_000
MOST_BODY = 65_536  # bytes of a POST body
PER_PAGE = 25


_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,4})?")
P = TypeVar("P", bound=BaseModel)


class Refused(Exception):
    """Parameters that can't be understood: `detail` says which and why, `status` is the HTTP status."""

    def __init__(self, detail: list[dict[str, Any]], status: int = 422) -> None:
        super().__init__(str(detail))
        self.detail = detail
        self.status = status


def refused(where: Iterable[str], message: str, kind: str, status: int = 422) -> Refused:
    return Refused([{"loc": list(where), "msg": message, "type": kind}], status)


def _truth(value: Any) -> Any:
    """true or false, in whatever case; nothing else."""
    known = {"true": True, "false": False}
    if isinstance(value, str):
        return known.get(value.lower(), value + "?")  # "?" so that pydantic's own yes/no words are refused
    return value if isinstance(value, bool) else str(value) + "?"


def _number(value: Any) -> Any:
    """Digits only: pydantic also takes "1_000", " 1", "nan" and true."""
    if isinstance(value, bool) or (isinstance(value, str) and not _NUMBER.fullmatch(value)):
        raise ValueError("a number is written with digits")
    return value


def _moment(value: Any) -> Any:
    """ISO 8601 only (pydantic takes seconds, too); a "+" that became a blank in the address is put back."""
    if not isinstance(value, str) or not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("a date (2026-03-31) or a date and time (2026-03-31T09:00:00Z) is needed")
    return re.sub(r" (?=[0-9]{2}:?[0-9]{2}$)", "+", value) if "T" in value else value


def _utc(value: dt.datetime) -> dt.datetime:
    value = value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value
    try:
        return value.astimezone(dt.UTC)
    except OverflowError:
        raise ValueError("no such date in the calendar") from None


def _clock(value: Any) -> Any:
    if not isinstance(value, str) or not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?", value):
        raise ValueError("a time of day (09:30) is needed")
    return int(value[:2]) * 60 + int(value[3:5])


def _text(value: str) -> str:
    return value.replace("\0", " ").strip()


Truth = Annotated[bool, BeforeValidator(_truth)]
Whole = Annotated[int, BeforeValidator(_number)]
Number = Annotated[float, BeforeValidator(_number)]
Moment = Annotated[dt.datetime, BeforeValidator(_moment), AfterValidator(_utc)]
Minute = Annotated[int, BeforeValidator(_clock)]  # since midnight
Day = Annotated[Literal[hsds.WEEKDAYS], BeforeValidator(lambda day: day.upper() if isinstance(day, str) else day)]  # type: ignore[valid-type]
Words = Annotated[str, Field(max_length=1000), AfterValidator(_text)]


class Lists(BaseModel):
    """What every list understands. Names that nobody knows are ignored, as HSDS clients expect."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    search: Words = ""
    page: Annotated[Whole, Field(ge=1, le=1_000_000_000)] = 1
    per_page: Annotated[Whole, Field(ge=1, le=MOST_PER_PAGE)] = PER_PAGE
    format: Literal["json", "ndjson"] = "json"

    @property
    def limit(self) -> int:
        """How many records a page has."""
        return self.per_page

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.limit


class Classified(Lists):
    taxonomy_term_id: tuple[uuid.UUID, ...] = ()
    taxonomy_id: tuple[uuid.UUID, ...] = ()
    full: Truth = False


class Services(Classified):
    per_page: Annotated[Whole, Field(ge=1, le=MOST_MINIMAL)] | None = None  # type: ignore[assignment]
    organization_id: tuple[uuid.UUID, ...] = ()
    modified_after: Moment | None = None
    minimal: Truth = False
    minimum_age: Annotated[Number, Field(ge=0, le=200)] | None = None
    maximum_age: Annotated[Number, Field(ge=0, le=200)] | None = None
    day: tuple[Day, ...] = ()
    start_time: Minute | None = None
    end_time: Minute | None = None

    @property
    def limit(self) -> int:
        """How many records a page has: of the short form all, as HSDS asks."""
        return self.per_page or (MOST_MINIMAL if self.minimal else PER_PAGE)


class Organizations(Classified):
    full_service: Truth = False


class ServiceAtLocations(Classified):
    organization_id: tuple[uuid.UUID, ...] = ()
    modified_after: Moment | None = None
    postcode: Annotated[str, Field(min_length=1, max_length=20)] | None = None
    proximity: Annotated[Number, Field(gt=0, le=1_000_000)] | None = None


class Taxonomies(Lists):
    pass


class TaxonomyTerms(Lists):
    taxonomy_id: tuple[uuid.UUID, ...] = ()
    parent_id: tuple[uuid.UUID, ...] = ()
    top_only: Truth = False


class Tombstones(Lists):
    since: Moment | None = None
    type: Literal[hsds.RESOURCES] | None = None  # type: ignore[valid-type]


class OrganizationDetail(BaseModel):
    full_service: Truth = False


LISTS: dict[str, type[Lists]] = {
    "service": Services,
    "organization": Organizations,
    "service_at_location": ServiceAtLocations,
    "taxonomy": Taxonomies,
    "taxonomy_term": TaxonomyTerms,
}
_SEVERAL = {"taxonomy_term_id", "taxonomy_id", "organization_id", "parent_id", "day"}


def read(model: type[P], query: str, body: bytes = b"", content_type: str = "") -> P:
    """Parameters from a query string and, for POST, a JSON object or a form. Raises Refused.

    A filter given several times must hold for each of its values; other parameters are given once.
    """
    data: dict[str, Any] = {}
    origin = "query"
    if query:
        _gather(data, _pairs(query, "query"), model, "query")
    if body:
        origin = "body"
        if content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
            _gather(data, _pairs(body.decode("utf-8", "replace"), "body"), model, "body")
        else:
            _gather(data, _members(body), model, "body")
    try:
        params = model.model_validate(data)
    except ValidationError as error:
        raise Refused(
            [
                {"loc": [origin, *each["loc"]], "msg": each["msg"].removeprefix("Value error, "), "type": each["type"]}
                for each in error.errors(include_url=False, include_context=False, include_input=False)
            ]
        ) from None
    _together(params, origin)
    return params


def _pairs(text: str, origin: str) -> list[tuple[str, Any]]:
    try:
        return list(parse_qsl(text, keep_blank_values=True, max_num_fields=200))
    except ValueError as error:
        raise refused([origin], str(error), "too_many") from None


def _members(body: bytes) -> list[tuple[str, Any]]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise refused(["body"], f"the body is not JSON: {error}", "json_invalid") from None
    if not isinstance(found, Mapping):
        raise refused(["body"], "the body is a JSON object of parameters", "dict_type")
    return [
        (name, each)
        for name, value in found.items()
        for each in (value if name in _SEVERAL and isinstance(value, list) else [value])
    ]


def _gather(data: dict[str, Any], pairs: list[tuple[str, Any]], model: type[BaseModel], origin: str) -> None:
    for name, value in pairs:
        if name not in model.model_fields:
            continue
        if name in _SEVERAL:
            data.setdefault(name, []).append(value)
        elif name in data:
            raise refused([origin, name], "given more than once", "repeated")
        else:
            data[name] = value


def _together(params: BaseModel, origin: str) -> None:
    """What holds between parameters."""
    if isinstance(params, Services) and not params.minimal and (params.per_page or 0) > MOST_PER_PAGE:
        raise refused([origin, "per_page"], f"Input should be less than or equal to {MOST_PER_PAGE}", "less_than_equal")
