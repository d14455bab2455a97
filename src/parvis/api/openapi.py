"""The API said as OpenAPI 3.1, made of the same tables as the API itself; and for the page that people read."""

from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from django.conf import settings
from django.utils.translation import gettext_noop as _

from parvis import __version__
from parvis.api.parameters import LISTS, MOST_MINIMAL, MOST_PER_PAGE, PER_PAGE
from parvis.core import hsds

Json = dict[str, Any]
_ID = "0b6c1f0e-6f0a-4d57-9c1d-3a5a2f1c7e11"
_OTHER = "5d2f9c84-1a3b-4c6d-8e7f-90a1b2c3d4e5"
_UUID = {"type": "string", "format": "uuid"}
_TRUTH = {"type": "boolean", "default": False}


class Parameter(NamedTuple):
    """One parameter: its JSON schema, what it does (a message to translate), an example."""

    schema: Json
    description: str
    example: Any


PARAMETERS: dict[str, Parameter] = {
    "search": Parameter(
        {"type": "string", "maxLength": 1000},
        _("Words in any language. Accents, plurals and typing errors are forgiven; the best answers come first."),
        "cours de français",
    ),
    "page": Parameter(
        {"type": "integer", "minimum": 1, "maximum": 1_000_000_000, "default": 1},
        _("Number of the page, from 1. A page after the last one is empty."),
        2,
    ),
    "per_page": Parameter(
        {"type": "integer", "minimum": 1, "maximum": MOST_PER_PAGE, "default": PER_PAGE},
        _("How many records a page has."),
        100,
    ),
    "format": Parameter(
        {"type": "string", "enum": ["json", "ndjson"], "default": "json"},
        _("“ndjson” streams everything that the filters leave, one record a line, without pages."),
        "ndjson",
    ),
    "taxonomy_term_id": Parameter(
        _UUID, _("Only records that carry this taxonomy term. Given several times, they carry all of them."), _ID
    ),
    "taxonomy_id": Parameter(_UUID, _("Only records that carry a term of this taxonomy."), _ID),
    "organization_id": Parameter(_UUID, _("Only what this organization provides."), _ID),
    "modified_after": Parameter(
        {"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]},
        _("Only records that changed on or after this date or time (UTC unless it says otherwise)."),
        "2026-03-31T09:00:00Z",
    ),
    "minimal": Parameter(
        _TRUTH,
        _("Only the id and the time of the last change; all records on one page unless per_page is given."),
        True,
    ),
    "full": Parameter(_TRUTH, _("Each record whole, as its own address gives it."), True),
    "full_service": Parameter(_TRUTH, _("Organizations whole, with their services whole."), True),
    "minimum_age": Parameter(
        {"type": "number", "minimum": 0, "maximum": 200}, _("Only services open to people of this age or older."), 18
    ),
    "maximum_age": Parameter(
        {"type": "number", "minimum": 0, "maximum": 200}, _("Only services open to people of this age or younger."), 65
    ),
    "day": Parameter(
        {"type": "string", "enum": list(hsds.WEEKDAYS)},
        _("Only services regularly open on this day of the week."),
        "SA",
    ),
    "start_time": Parameter(
        {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"},
        _("Only services regularly open at some time after this hour of the day."),
        "17:00",
    ),
    "end_time": Parameter(
        {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"},
        _("Only services regularly open at some time before this hour of the day."),
        "21:00",
    ),
    "postcode": Parameter(
        {"type": "string", "minLength": 1, "maxLength": 20},
        _("Only places with this postal code or one that begins so; with proximity, the point to measure from."),
        "H2X 1Y4",
    ),
    "proximity": Parameter(
        {"type": "number", "exclusiveMinimum": 0, "maximum": 1_000_000},
        _("Only places within so many metres of the postal code. Says nothing without postcode."),
        2000,
    ),
    "top_only": Parameter(_TRUTH, _("Only terms that have no broader term."), True),
    "parent_id": Parameter(_UUID, _("Only terms directly below this one."), _ID),
}
_TITLES = {
    "service": _("Services"),
    "organization": _("Organizations"),
    "service_at_location": _("Services at locations"),
    "taxonomy": _("Taxonomies"),
    "taxonomy_term": _("Taxonomy terms"),
}
_TYPES: dict[str, Json] = {
    "text": {"type": "string"},
    "uuid": {"type": "string", "format": "uuid"},
    "uri": {"type": "string", "format": "uri"},
    "email": {"type": "string", "format": "email"},
    "number": {"type": "number"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$"},
    "datetime": {"type": "string", "format": "date-time"},
}
_EXAMPLES: dict[str, Json] = {
    "service": {
        "id": _ID,
        "organization_id": _OTHER,
        "name": "Cours de français",
        "description": "Cours gratuits, du niveau débutant au niveau avancé.",
        "url": "https://example.org/cours",
        "status": "active",
        "minimum_age": 16,
        "last_modified": "2026-03-31T09:00:00Z",
        "organization": {"id": _OTHER, "name": "La Passerelle", "description": "Accueil et apprentissage."},
    },
    "organization": {"id": _OTHER, "name": "La Passerelle", "description": "Accueil et apprentissage."},
    "service_at_location": {
        "id": "9a4f1e3c-77b2-4f0a-b1f9-0c2d4e6f8a10",
        "service_id": _ID,
        "location_id": "c7d1b8e0-2f4a-4b6c-9d8e-1f2a3b4c5d6e",
        "location": {"id": "c7d1b8e0-2f4a-4b6c-9d8e-1f2a3b4c5d6e", "location_type": "physical", "name": "Local 2"},
        "service": {"id": _ID, "name": "Cours de français", "status": "active"},
    },
    "taxonomy": {"id": _OTHER, "name": "Besoins", "description": "Ce que l’on cherche en arrivant.", "version": "1"},
    "taxonomy_term": {"id": _ID, "code": "LANG", "name": "Langue", "description": "Apprendre la langue."},
}


def lists() -> list[Json]:
    """For the page: each list with its address, title and parameters."""
    return [
        {
            "kind": kind,
            "plural": hsds.ENTITIES[kind].plural,
            "title": _TITLES[kind],
            "parameters": [
                {"name": name, "type": _said(PARAMETERS[name].schema), **_shown(PARAMETERS[name])}
                for name in LISTS[kind].model_fields
            ],
        }
        for kind in hsds.RESOURCES
    ]


def _shown(parameter: Parameter) -> Json:
    example = "true" if parameter.example is True else str(parameter.example)
    return {"description": parameter.description, "example": example}


def _said(schema: Json) -> str:
    if "enum" in schema:
        return " | ".join(schema["enum"])
    least, most = schema.get("minimum"), schema.get("maximum")
    kind: str = schema.get("format", schema["type"])
    return f"{kind} {least}–{most}" if least is not None and most and most < 1_000_000 else kind


@lru_cache(maxsize=64)
def document(base: str, city: str) -> bytes:
    """The OpenAPI document of the API at this origin ("https://host"), as JSON."""
    return orjson.dumps(build(base, city))


def build(base: str, city: str) -> Json:
    """The same, as Python."""
    paths: dict[str, Json] = {
        "/": {"get": _operation("getAPIMetaInformation", "About this API", "About", _ref("About"), tags=["required"])}
    }
    for kind in hsds.RESOURCES:
        plural, name, title = hsds.ENTITIES[kind].plural, _pascal(kind), _TITLES[kind].lower()
        query = [{"$ref": f"#/components/parameters/{each}"} for each in LISTS[kind].model_fields]
        if kind == "service":  # its short form may have all records on one page
            query = [each for each in query if not each["$ref"].endswith("/per_page")]
            query.append(_parameter("per_page", PARAMETERS["per_page"]) | {"description": _MINIMAL_PAGES})
        tags = ["required" if kind == "service" else "optional"]
        answers = {
            "application/json": {"schema": _ref(f"{name}Page"), "example": _page_example(kind)},
            "application/x-ndjson": {"schema": {"type": "string", "description": f"One {name} a line."}},
        }
        paths[f"/{plural}"] = {
            "get": _operation(
                f"list{name}", f"List {title}", "A page, or a stream.", content=answers, query=query, tags=tags
            ),
            "post": _operation(
                f"search{name}", f"List {title}, parameters in the body", "A page, or a stream.",
                content=answers, body=_body(kind), tags=tags,
            ),
        }  # fmt: skip
        path: Json = {"name": "id", "in": "path", "required": True, "schema": _UUID, "example": _ID}
        paths[f"/{plural}/{{id}}"] = {
            "parameters": [path],
            "get": _operation(
                f"get{name}", f"One of the {title}, whole", "With all that hangs on it.", _ref(name),
                query=[{"$ref": "#/components/parameters/full_service"}] if kind == "organization" else [],
                example=_EXAMPLES[kind], tags=tags, one=True,
            ),
        }  # fmt: skip
    since = Parameter(PARAMETERS["modified_after"].schema, "Only what went on or after this.", "2026-03-31")
    kinds = Parameter({"type": "string", "enum": list(hsds.RESOURCES)}, "Only records of this kind.", "service")
    paging = [{"$ref": f"#/components/parameters/{name}"} for name in ("page", "per_page")]
    paths["/tombstones"] = {
        "get": _operation(
            "listTombstones", "What is gone", "Deleted, unlisted and merged records, the latest last.",
            _ref("TombstonePage"), query=[_parameter("since", since), _parameter("type", kinds), *paging],
            tags=["extra"],
        )
    }  # fmt: skip
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Community services for newcomers: {city}",
            "version": __version__,
            "summary": f"HSDS {settings.HSDS_VERSION}, read only, open to everybody.",
            "description": _INTRODUCTION,
            "license": {"name": "AGPL-3.0-or-later (the software)", "identifier": "AGPL-3.0-or-later"},
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "servers": [{"url": f"{base}/hsds/v3"}],
        "tags": [
            {"name": "required", "description": "What HSDS requires."},
            {"name": "optional", "description": "What HSDS offers."},
            {"name": "extra", "description": "Beyond HSDS."},
        ],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "parameters": {name: _parameter(name, each) for name, each in PARAMETERS.items()},
            "responses": {
                "Refused": {
                    "description": "A parameter can't be understood: which one and why.",
                    "content": {"application/json": {"schema": _ref("Problem"), "example": _PROBLEM}},
                },
                "Missing": {
                    "description": "There is no such record.",
                    "content": {"application/json": {"schema": _ref("Problem")}},
                },
                "Gone": {
                    "description": "It is no longer published.",
                    "content": {"application/json": {"schema": _ref("Problem")}},
                },
                "Moved": {
                    "description": "It was merged into another, whose address is in Location.",
                    "headers": {"Location": {"schema": {"type": "string"}}},
                },
                "Unchanged": {"description": "What the reader has still holds (If-None-Match, If-Modified-Since)."},
            },
        },
    }


_INTRODUCTION = (
    "Filters add up: a record is given when all of them hold. A filter that names an unknown id gives an empty list. "
    "Parameters that no list knows are ignored. Every list can be asked by POST, too, with the same parameters in a "
    "JSON object or a form. Fields without a value are left out, never null. Answers carry ETag and may be compressed. "
    "An id that was merged leads to what it became (301); one that was deleted answers 410; both are in /tombstones."
)
_MINIMAL_PAGES = (
    f"How many records a page has: 1 to {MOST_PER_PAGE}, with minimal=true up to {MOST_MINIMAL} (the default then)."
)
_PROBLEM = {
    "detail": [
        {"loc": ["query", "page"], "msg": "Input should be greater than or equal to 1", "type": "greater_than_equal"}
    ]
}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _parameter(name: str, about: Parameter) -> Json:
    return {
        "name": name, "in": "query", "required": False, "description": about.description, "schema": about.schema,
        "example": about.example,
    }  # fmt: skip


def _body(kind: str) -> Json:
    properties = {name: PARAMETERS[name].schema for name in LISTS[kind].model_fields}
    schema: Json = {"type": "object", "properties": properties}
    return {"required": False, "content": {"application/json": {"schema": schema, "example": {"search": "français"}}}}


def _operation(
    name: str, summary: str, description: str, schema: Json | None = None, *, content: Json | None = None,
    query: list[Json] | None = None, body: Json | None = None, example: Json | None = None,
    tags: list[str], one: bool = False,
) -> Json:  # fmt: skip
    shown: Json = {"schema": schema, **({"example": example} if example else {})}
    responses: Json = {
        "200": {"description": description, "content": content or {"application/json": shown}},
        "304": {"$ref": "#/components/responses/Unchanged"},
        "422": {"$ref": "#/components/responses/Refused"},
    }
    if one:
        responses |= {
            "301": {"$ref": "#/components/responses/Moved"},
            "404": {"$ref": "#/components/responses/Missing"},
            "410": {"$ref": "#/components/responses/Gone"},
        }
    operation: Json = {"operationId": name, "summary": summary, "tags": tags, "responses": responses}
    if query:
        operation["parameters"] = query
    if body:
        operation["requestBody"] = body
    return operation


def _page_example(kind: str) -> Json:
    return {
        "total_items": 1, "total_pages": 1, "page_number": 1, "size": 1, "first_page": True, "last_page": True,
        "empty": False, "contents": [_EXAMPLES[kind]],
    }  # fmt: skip


def _schemas() -> Json:
    schemas: Json = {
        _pascal(entity.name): _entity(entity)
        for entity in hsds.ENTITIES.values()
        if entity.name != "meta_table_description"
    }
    # an organization shows its services in short, or whole on request
    schemas["Organization"]["properties"]["services"] = {"type": "array", "items": _ref("Service")}
    schemas["ServiceAtLocation"]["properties"]["service"] = _ref("Service")
    schemas["Minimal"] = {
        "type": "object",
        "properties": {"id": _UUID, "last_modified": _TYPES["datetime"]},
        "required": ["id", "last_modified"],
    }
    facts = {
        "total_items": "integer", "total_pages": "integer", "page_number": "integer", "size": "integer",
        "first_page": "boolean", "last_page": "boolean", "empty": "boolean",
    }  # fmt: skip
    schemas["Page"] = {
        "type": "object",
        "properties": {name: {"type": kind} for name, kind in facts.items()},
        "required": [*facts, "contents"],
    }
    for kind in (*hsds.RESOURCES, "tombstone"):
        item = _ref(_pascal(kind))
        if kind == "service":
            item = {"anyOf": [item, _ref("Minimal")]}
        schemas[f"{_pascal(kind)}Page"] = {
            "allOf": [_ref("Page")],
            "type": "object",
            "properties": {"contents": {"type": "array", "items": item}},
        }
    schemas["Tombstone"] = {
        "type": "object",
        "properties": {
            "id": _UUID,
            "type": {"type": "string", "enum": list(hsds.RESOURCES)},
            "reason": {"type": "string", "enum": ["deleted", "unlisted", "merged"]},
            "at": _TYPES["datetime"],
            "merged_into": _UUID,
        },
        "required": ["id", "type", "reason", "at"],
    }
    text = {"type": "string"}
    schemas["About"] = {
        "type": "object",
        "properties": {
            "version": text,
            "profile": _TYPES["uri"],
            "openapi_url": _TYPES["uri"],
            "description": text,
            "publisher": {
                "type": "object",
                "properties": {
                    "name": text, "identifier": text, "email": _TYPES["email"], "website": _TYPES["uri"],
                    "additional_websites": {"type": "array", "items": _TYPES["uri"]},
                },
            },
        },
        "required": ["version", "profile", "openapi_url", "description", "publisher"],
    }  # fmt: skip
    schemas["Problem"] = {
        "type": "object",
        "properties": {
            "detail": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
                        "msg": text,
                        "type": text,
                    },
                    "required": ["loc", "msg", "type"],
                },
            }
        },
        "required": ["detail"],
    }
    return schemas


def _entity(entity: hsds.Entity) -> Json:
    version: hsds.Version = settings.HSDS_VERSION
    properties: Json = {
        each.name: _TYPES[each.kind] | ({"enum": list(each.enum)} if each.enum else {}) for each in entity.at(version)
    }
    properties |= {one.name: _ref(_pascal(one.entity)) for one in entity.ones}
    properties |= {
        many.name: {"type": "array", "items": _ref(_pascal(many.entity))} for many in hsds.manys(entity, version)
    }
    required = [*entity.required, *(one.name for one in entity.ones if one.required)]
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}
