"""The whole application against its own schema."""

import json
import re

import jsonschema_rs
import pytest

from eval.bench.serve_fuzz import fuzz


def test_the_openapi_page_and_schema_are_there_and_valid(client):
    assert "swagger" in client.get("/docs").text.lower()
    schema = client.get("/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    names = [(path, method) for path, found in schema["paths"].items() for method in found]
    assert len(names) >= 20
    for found in schema["components"]["schemas"].values():
        jsonschema_rs.meta.validate(found)
    operations = [schema["paths"][path][method]["operationId"] for path, method in names]
    assert len(set(operations)) == len(operations)


def test_every_reference_of_the_schema_leads_somewhere(client):
    schema = client.get("/openapi.json").json()
    found = re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(schema))
    assert len(found) > 20
    assert set(found) <= set(schema["components"]["schemas"])


@pytest.mark.filterwarnings("ignore")
def test_no_request_that_the_schema_can_think_of_is_answered_500(client):
    statuses = fuzz(client, requests=200)
    assert sum(statuses.values()) >= 150
    assert statuses["200"] + statuses["201"] > 20
    assert statuses["422"] > 20
