"""Values that can't be read, in variables and in documents: told so, and nothing written."""

from typing import Any

import pytest

from tests.driving import Client, Service, mutation
from tests.web.posting import codes, inside, send

UNREADABLE: dict[str, list[Any]] = {
    "startsAt": [
        "",
        "tomorrow",
        "2027-03-28",
        "2027-03-28T09:30",
        "2027-03-28T09:30:00",
        "2027-02-30T09:30:00Z",
        "2027-03-28T25:00:00Z",
        "2027-03-28T09:30:00+99:00",
        "2027-03-28T09:30:00Z ",
        "2027-03-28 09:30:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "\uff12027-03-28T09:30:00Z",
        "2027-03-28T09:30:00Z\ud800",
        1806226200,
        18.5,
        True,
        None,
        [],
        {},
        inside(300),
        "1" * 50_000,
    ],
    "amount": [
        "",
        "1.",
        ".5",
        "1.234",
        "1,50",
        "+1",
        "1e3",
        "NaN",
        "Infinity",
        " 1",
        "1\n",
        "\u0661",
        "--1",
        "1" * 19,
        "1" * 50_000,
        "\ud800",
        1,
        1.5,
        True,
        None,
        ["1"],
        {"amount": "1"},
        inside(300),
    ],
}
CASES = [
    pytest.param(name, value, id=f"{name} {value!r:.40}") for name, values in UNREADABLE.items() for value in values
]


@pytest.mark.parametrize(("name", "value"), CASES)
async def test_a_scalar_that_cannot_be_read_in_a_variable_is_bad_user_input(
    world: Service, stella: Client, name: str, value: object
):
    if name == "startsAt":
        action, given = "proposeMeeting", {"expertId": "x", "serviceId": "x", "skillId": "x", "startsAt": value}
    else:
        action, given = "grantCredits", {"personId": "x", "amount": value}
    async with world.nothing_changes():
        answer = await send(stella, {"query": mutation(action), "variables": {"input": given}})
        assert (answer.status_code, codes(answer)) == (200, ["BAD_USER_INPUT"])
        assert "Traceback" not in answer.text


@pytest.mark.parametrize("literal", ['"tomorrow"', "7", "true", "[]", "{}", "TOMORROW"])
async def test_a_scalar_that_cannot_be_read_in_the_document_is_bad_user_input(
    world: Service, uma: Client, literal: str
):
    query = f'mutation {{ proposeMeeting(input: {{expertId: "x", serviceId: "x", skillId: "x", startsAt: {literal}}}) '
    async with world.nothing_changes():
        answer = await send(uma, {"query": query + "{ __typename } }"})
        assert (answer.status_code, codes(answer)) == (200, ["BAD_USER_INPUT"])


@pytest.mark.parametrize(
    "starts_at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999999Z"]
)
async def test_the_first_and_the_last_instant_there_is_are_read_and_refused_as_data(
    world: Service, uma: Client, emil: Client, starts_at: str
):
    async with world.nothing_changes():
        refused = await uma.propose(emil, startsAt=starts_at)
        assert (refused["__typename"], refused["field"]) == ("InvalidInput", "startsAt")


@pytest.mark.parametrize("first", [0, -1, 101, 2**31 - 1, -(2**31)])
async def test_a_page_outside_1_to_100_is_bad_user_input(world: Service, uma: Client, first: int):
    query = "query ($first: Int) { meetings(first: $first) { edges { cursor } } }"
    answer = await send(uma, {"query": query, "variables": {"first": first}})
    assert (answer.status_code, codes(answer)) == (200, ["BAD_USER_INPUT"])
