"""What is answered to which Accept header."""

import pytest

from tests.driving import Client, Service
from tests.web.posting import ME, codes, send
from web.negotiation import JSON, RESPONSE, acceptable


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", JSON),
        (" , ", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (RESPONSE, RESPONSE),
        (RESPONSE.upper(), RESPONSE),
        (f"{RESPONSE}, {JSON}", RESPONSE),
        (f"{JSON}, {RESPONSE}", RESPONSE),
        (f"{RESPONSE},{JSON};q=0.9", RESPONSE),
        (f"{RESPONSE}; charset=utf-8, {JSON}; charset=utf-8", RESPONSE),
        (f'{RESPONSE}; CHARSET="UTF-8"', RESPONSE),
        (f"{RESPONSE};q=0.5, {JSON}", JSON),
        (f"{RESPONSE};q=0.5, */*", JSON),
        (f"{RESPONSE};q=0.5, */*;q=0.1", RESPONSE),
        (f"{RESPONSE}, */*", RESPONSE),
        (f"{JSON}, */*", JSON),
        (f"{JSON};q=0.5, */*", RESPONSE),
        (f"{JSON};q=0, */*", RESPONSE),
        (f"{RESPONSE};q=0, */*", JSON),
        (f"application/*;q=0.2, {RESPONSE};q=0.1", JSON),
        ("text/html, application/xhtml+xml, */*;q=0.8", JSON),
        (f"multipart/mixed;deferSpec=20220824, {JSON}", JSON),
        (f"{JSON};q=0.001", JSON),
        (f"{JSON}; Q=1.000", JSON),
        (f"{JSON}, {JSON};q=0.1, {RESPONSE};q=0.5", JSON),
        ("text/html", None),
        ("application/xml, text/*", None),
        (f"{JSON};q=0", None),
        ("*/*;q=0", None),
        (f"{JSON};q=0.0, {RESPONSE};q=0.000", None),
        (f"{JSON}; charset=utf-16", None),
        (f"{JSON}; profile=x", None),
        (f"{JSON};q=2", None),
        (f"{JSON};q=nan", None),
        (f"{JSON};q=-1", None),
        (";;;", None),
        ("json", None),
    ],
)
def test_the_media_type_the_client_would_rather_have_is_chosen(accept: str, media_type: str | None):
    assert acceptable([accept]) == media_type


def test_headers_that_are_repeated_are_read_together():
    assert acceptable(["text/html", RESPONSE]) == RESPONSE
    assert acceptable([]) == JSON


@pytest.mark.parametrize("media_type", [JSON, RESPONSE])
async def test_the_answer_says_what_it_is(world: Service, uma: Client, media_type: str):
    for body, status in ((ME, 200), ({}, 400)):
        answer = await send(uma, body, accept=media_type)
        assert (answer.status_code, answer.headers["content-type"]) == (status, f"{media_type}; charset=utf-8")


async def test_who_accepts_neither_is_told_what_there_is_and_nothing_is_done(world: Service, uma: Client):
    mutation = 'mutation { updateProfile(input: {timeZone: "Asia/Tokyo"}) { __typename } }'
    async with world.nothing_changes():
        answer = await send(uma, {"query": mutation}, accept="text/html")
        assert (answer.status_code, codes(answer)) == (406, ["BAD_REQUEST"])
        assert RESPONSE in answer.text
        assert JSON in answer.text


@pytest.mark.parametrize("media_type", [JSON, RESPONSE])
async def test_a_field_that_fails_leaves_the_rest_and_the_status_200(world: Service, uma: Client, media_type: str):
    answer = await send(uma, {"query": "{ me { id } meetings(first: 0) { edges { cursor } } }"}, accept=media_type)
    assert (answer.status_code, codes(answer)) == (200, ["BAD_USER_INPUT"])
    assert answer.json()["data"] is None
