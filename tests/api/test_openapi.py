"""The API does what its own OpenAPI document says: schemathesis asks, within bounds."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_schema_conformance,
    status_code_conformance,
)

from parvis.api import openapi
from parvis.core import hsds
from tests.api.conftest import Town


def test_the_document_names_every_address_and_parameter(town: Town) -> None:
    document = town.get("/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    plurals = [hsds.ENTITIES[kind].plural for kind in hsds.RESOURCES]
    assert {*(f"/{each}" for each in plurals), *(f"/{each}/{{id}}" for each in plurals), "/", "/tombstones"} == set(
        document["paths"]
    )
    for each in plurals:
        assert {"get", "post"} <= document["paths"][f"/{each}"].keys()
    said = {p["name"] for p in document["components"]["parameters"].values()}
    assert said == set(openapi.PARAMETERS)
    assert all(p["description"] and "example" in p for p in document["components"]["parameters"].values())


CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
    positive_data_acceptance,
]


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_whatever_is_asked_is_answered_as_documented(town: Town, mode: GenerationMode) -> None:
    origin = f"http://{town.name}.localhost:8000"
    schema = schemathesis.openapi.from_dict(openapi.build(origin, town.city.name))
    schema.app = town.application
    schema.config.base_url = f"{origin}/hsds/v3"
    asked = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if mode is GenerationMode.NEGATIVE and not (operation.query.items or operation.path_parameters.items):
            continue

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        def check(case: Any) -> None:
            nonlocal asked
            asked += 1
            headers = {"Host": f"{town.name}.localhost:8000", "Accept-Encoding": "identity"}
            case.call_and_validate(checks=CHECKS, headers=headers)

        check()
    assert asked > 100
