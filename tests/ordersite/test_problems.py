"""Every error of the API is a problem that says what to do."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError
from django.http import Http404, HttpResponse
from django.test import Client, override_settings
from pymongo.errors import DuplicateKeyError, NetworkTimeout, ServerSelectionTimeoutError
from rest_framework.exceptions import Throttled
from rest_framework.parsers import JSONParser
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from localservices.mongodb import MongoDB
from runtime.requests.problem_type import Problem, ProblemType


class OutOfPens(Problem):
    title = "The pens were not sent"
    problem_type = ProblemType("no-pens", 422, "There are no pens", "", "", "")

    def __init__(self) -> None:
        super().__init__("items[0].quantity: more than there are.")
        self.errors = [
            {"field": "items[0].quantity", "detail": "more than there are", "fix": "Ask for fewer."}
        ]


def answer_to(error: BaseException) -> HttpResponse:
    """The answer of a view that raises the error."""

    class Failing(APIView):
        parser_classes = [JSONParser]
        permission_classes: list[Any] = []

        def post(self, request: Any) -> None:
            raise error

    return Failing.as_view()(APIRequestFactory().post("/pens"))


def problem_in(response: Any) -> dict[str, Any]:
    assert response["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = json.loads(response.content)
    assert problem["status"] == response.status_code
    return problem


def through_the_orm(cause: Exception) -> DatabaseError:
    error = DatabaseError()
    error.__cause__ = cause
    return error


def test_an_error_of_an_app_keeps_what_it_carries() -> None:
    assert problem_in(answer_to(OutOfPens())) == {
        "type": "/problems/no-pens",
        "title": "There are no pens",
        "status": 422,
        "detail": "The pens were not sent. items[0].quantity: more than there are.",
        "errors": [
            {"field": "items[0].quantity", "detail": "more than there are", "fix": "Ask for fewer."}
        ],
    }


def test_an_error_of_the_framework_has_a_type_by_its_status() -> None:
    problem = problem_in(answer_to(Http404()))

    assert (problem["type"], problem["title"]) == ("/problems/not-found", "There is nothing here")
    assert "errors" not in problem


def test_a_wait_is_told() -> None:
    assert answer_to(Throttled(wait=7))["Retry-After"] == "7"


def test_an_unexpected_error_keeps_its_internals_to_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        problem = problem_in(answer_to(RuntimeError("secret of the house")))

    assert problem["status"] == 500
    assert "secret" not in json.dumps(problem)
    assert "secret of the house" in caplog.text
    assert "POST /pens failed" in caplog.text


@pytest.mark.parametrize(
    "error",
    [
        ServerSelectionTimeoutError("localhost: refused"),
        NetworkTimeout("localhost: timed out"),
        through_the_orm(ServerSelectionTimeoutError("localhost: refused")),
    ],
)
def test_a_lost_database_is_a_503_that_says_when_to_return(error: Exception) -> None:
    response = answer_to(error)

    assert problem_in(response)["status"] == 503
    assert int(response["Retry-After"]) > 0


def test_a_refusal_by_the_database_is_not_an_outage() -> None:
    assert answer_to(through_the_orm(DuplicateKeyError("twice"))).status_code == 500


def test_a_body_that_is_too_large_is_a_413() -> None:
    assert "larger than" in problem_in(answer_to(RequestDataTooBig()))["detail"]


def test_a_wrong_method_is_told_the_right_ones(client: Client) -> None:
    response = client.put("/orders")

    assert response.status_code == 405
    assert "GET" in response["Allow"]
    assert "Use GET or POST." in problem_in(response)["detail"]


@pytest.mark.parametrize(
    "address",
    [
        *("/", "/docs", "/docs/events", "/openapi.json", "/asyncapi.yaml", "/problems"),
        *("/problems/not-found", "/health/live", "/health/serving"),
    ],
)
def test_so_is_it_where_a_page_or_a_document_is(address: str, client: Client) -> None:
    response = client.delete(address)

    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert problem_in(response)["type"] == "/problems/method-not-allowed"


def test_a_wrong_content_type_is_told_the_right_one() -> None:
    class Taking(APIView):
        parser_classes = [JSONParser]
        permission_classes: list[Any] = []

        def post(self, request: Any) -> Any:
            return request.data

    response = Taking.as_view()(
        APIRequestFactory().post("/pens", "<pen/>", content_type="text/xml")
    )

    assert response.status_code == 415
    assert "Content-Type: application/json" in problem_in(response)["detail"]


@pytest.mark.parametrize("path", ["/order", "/orders/", "/orders/1/2", "/health", "/%00"])
def test_an_unknown_address_is_a_problem(client: Client, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 404
    assert "/orders" in problem_in(response)["detail"]


@pytest.mark.usefixtures("clean")
def test_a_browser_sees_orders_as_json(client: Client) -> None:
    response = client.get("/orders", headers={"accept": "text/html"})

    assert (response.status_code, response["Content-Type"]) == (200, "application/json")


def test_without_mongodb_the_answer_comes_within_3_seconds(
    client: Client, mongodb: MongoDB, readiness_anew: None
) -> None:
    mongodb.kill()
    try:
        began = time.monotonic()
        order = {"userId": 101, "items": ["book"]}
        response = client.post("/orders", order, content_type="application/json")
        seconds = time.monotonic() - began

        assert problem_in(response)["status"] == 503
        assert response["Retry-After"]
        assert seconds < 3

        ready = client.get("/health/ready")
        assert ready.status_code == 503
        assert ready.json()["checks"][0] == {
            "name": "mongodb",
            "status": "missing",
            "detail": "No answer (ServerSelectionTimeoutError).",
            "nextStep": "Start MongoDB as a replica set, or correct the setting MONGODB_URL.",
        }
    finally:
        mongodb.start()


@pytest.mark.usefixtures("clean")
@override_settings(DEBUG=False)
def test_the_page_of_a_wrong_address_reads_no_form_that_cannot_be_read() -> None:
    """Django's page looks for the form's CSRF token."""
    client = Client(
        SERVER_NAME="localhost", raise_request_exception=False, enforce_csrf_checks=True
    )
    client.cookies["csrftoken"] = "x" * 32

    answer = client.generic("POST", "/admin/%0A/", b"[", content_type="multipart/form-data")

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
