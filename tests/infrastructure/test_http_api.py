"""The OpenAPI document of the HTTP API, as SAM's translator hands it to API Gateway."""

from __future__ import annotations

import json

import pytest

from tests.infrastructure.stack import JWT, Stack
from tests.infrastructure.watched import every_stack

ANY = "x-amazon-apigateway-any-method"
INTEGRATION = "x-amazon-apigateway-integration"
SCHEMES = {
    "public": {},
    "iam": {
        "iam": {
            "type": "apiKey",
            "name": "Authorization",
            "in": "header",
            "x-amazon-apigateway-authtype": "awsSigv4",
        }
    },
    "jwt": {
        "jwt": {
            "type": "oauth2",
            "flows": {},
            "x-amazon-apigateway-authorizer": {
                "type": "jwt",
                "identitySource": "$request.header.Authorization",
                "jwtConfiguration": {
                    "issuer": "https://issuer.example.com",
                    "audience": ["prices"],
                },
            },
        }
    },
}

every_access = pytest.mark.parametrize("access", SCHEMES)


def http_api(**parameters: str) -> dict:
    """The properties of the HTTP API of a stack."""
    (api,) = Stack(**parameters).of_type("AWS::ApiGatewayV2::Api").values()
    return dict(api)


def body_for(access: str) -> dict:
    """The OpenAPI document for a value of ApiAccess."""
    return dict(http_api(**(JWT if access == "jwt" else {"ApiAccess": access}))["Body"])


def operations(body: dict) -> dict[tuple[str, str], dict]:
    """The operations of the document by path and method."""
    return {
        (path, method): operation
        for path, item in body["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


@pytest.mark.parametrize(
    ("given", "origins"),
    [
        ("*", ["*"]),
        ("https://a.example", ["https://a.example"]),
        (
            "https://a.example,http://localhost:3000,https://b.example:8443",
            ["https://a.example", "http://localhost:3000", "https://b.example:8443"],
        ),
    ],
    ids=["any", "one", "three"],
)
def test_the_gateway_gets_a_full_cors_object(given, origins):
    """Each allowed origin is an item of the list, beside methods, headers and the time to keep."""
    body = http_api(AllowedOrigins=given)["Body"]
    assert body["x-amazon-apigateway-cors"] == {
        "allowOrigins": origins,
        "allowMethods": ["GET", "HEAD"],
        "allowHeaders": ["accept", "authorization", "content-type", "if-none-match"],
        "exposeHeaders": ["etag", "retry-after", "x-market-data"],
        "maxAge": 86400,
    }


@every_stack
def test_cors_does_not_depend_on_the_cache(parameters):
    """Every kind of stack has the same document."""
    assert http_api(**parameters)["Body"] == http_api()["Body"]


def test_a_warning_of_the_import_fails_the_deployment():
    """A document that API Gateway does not understand in full is never deployed."""
    assert http_api()["FailOnWarnings"] is True


def test_the_access_log_is_json_that_names_the_functions_request():
    """A line of the access log has the ids of the gateway's and of the function's request."""
    (stage,) = Stack().of_type("AWS::ApiGatewayV2::Stage").values()
    line = json.loads(stage["AccessLogSettings"]["Format"])
    assert line["requestId"] == "$context.requestId"
    assert line["functionRequestId"] == "$context.integration.requestId"
    assert all(value.startswith("$context.") for value in line.values())


@every_access
def test_every_path_reaches_the_function(access):
    """The root and all below it have routes for every method; the path parameter is declared."""
    body = body_for(access)
    assert body["paths"].keys() == {"/", "/{proxy+}"}
    assert operations(body).keys() == {
        (path, method) for path in ("/", "/{proxy+}") for method in (ANY, "options")
    }
    (parameter,) = body["paths"]["/{proxy+}"]["parameters"]
    assert (parameter["name"], parameter["in"], parameter["required"]) == ("proxy+", "path", True)
    for operation in operations(body).values():
        assert operation[INTEGRATION]["type"] == "aws_proxy"
        assert operation[INTEGRATION]["payloadFormatVersion"] == "2.0"
        assert "functions/${Api.Arn}/invocations" in operation[INTEGRATION]["uri"]


@every_access
def test_every_operation_describes_its_response(access):
    """OpenAPI requires `responses`; an operation without it is a warning of the import."""
    for operation in operations(body_for(access)).values():
        assert operation["responses"]["default"]["description"]


@every_access
def test_each_kind_of_access_has_its_security_scheme(access):
    """Requests need the scheme of ApiAccess, and the document defines this scheme and no other."""
    body = body_for(access)
    assert body["components"]["securitySchemes"] == SCHEMES[access]
    wanted = [{name: []} for name in SCHEMES[access]]
    for path in body["paths"]:
        assert operations(body)[path, ANY]["security"] == wanted


@every_access
def test_a_preflight_needs_no_credentials(access):
    """A browser sends OPTIONS without credentials, so that method has no security."""
    body = body_for(access)
    assert "security" not in body
    for path in body["paths"]:
        assert "security" not in operations(body)[path, "options"]
