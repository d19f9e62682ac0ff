"""Values that nobody means well with, for each type that a client may give."""

import json
import os
import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

import httpx2
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLSyntaxError,
    get_named_type,
    is_required_input_field,
    parse_value,
)

EVERY = 1 if "HOSTILE_EVERYWHERE" in os.environ else 8
"""What was tried in one place is not all tried again where the same is taken: one value in so many, in each place other
ones. HOSTILE_EVERYWHERE=1 has each tried everywhere."""
LEFT_OUT = object()
"Stands for no value at all, not even null."
Path = tuple[str | int, ...]

TEXTS: list[Any] = [
    *("", "\u00a0\u2003\n\t\r", "\x00", "a\x00b", "\ud800", "a\udfffb", "\x1b[2J\x07\x7f", "\u202e\u200ftxet"),
    *("\u200b\u200d\ufeff", "💥👩\u200d👩\u200d👧", "e" + "\u0301" * 500, "\u0130Ii\u0131", "ß" * 200, "\U0010ffff"),
    *("'; DROP TABLE person; --", "%_\\'\"$1", "{0} %s %(x)s ${x} {{x}}", "<script>alert(1)</script>", "NaN"),
    *('"}) { __typename } }', "../../../../etc/passwd", "x" * 201, "x" * 2_001, "x" * 90_000),
]
NO_JSON = (float("nan"), float("inf"))
"What Python writes all the same, and a socket is closed for."
WRONG: list[Any] = [1.5, True, [], {}, {"a": 1}, [[]], *NO_JSON, 10**400]
BAD_TEXTS: list[Any] = ["", "\x00", "\ud800", "null", "💥", "1" * 5_000]
HUGE_LIST = 5_000
SHORT = 1_000

OF_TYPE: dict[str, list[Any]] = {
    "ID": [*TEXTS[::3], "\x00", "\ud800", 0, -1, 2**63, 10**400],
    "String": TEXTS,
    "Int": [0, -1, 1, 1.0, -0.0, -(2**31), 2**31 - 1],
    "Boolean": [True, False],
    "Credits": ["0", "-0.00", "0.01", "-0.01", "-1", "1000000", "1000000.01", "9" * 18 + ".99", "-" + "9" * 18, "007"],
    "Date": ["0001-01-01", "1970-01-01", "2027-03-28", "2028-02-29", "9999-12-31"],
    "Time": ["00:00", "00:01", "02:30", "23:59", "24:00"],
    "DateTime": [
        *("0001-01-02T00:00:00Z", "1000-01-01T00:00:00+23:59", "1970-01-01T00:00:00Z", "2027-02-28T23:59:59-23:59"),
        *("2027-03-28T02:30:00+01:00", "2027-03-05T10:00:00.123456789+05:45", "2029-02-28T12:00:00Z"),
        *("2030-01-01T00:00:00+00:00", "9999-12-30T23:59:59Z"),
    ],
}
"""Values that are of a scalar, and yet meant ill: each is accepted or refused, as data."""

NOT_OF_TYPE: dict[str, list[Any]] = {
    "ID": [1.5, True, [], {}, [[]], *NO_JSON],
    "String": [*WRONG, 0, 2**63],
    "Int": [*BAD_TEXTS, "1", *WRONG, 2**31, -(2**31) - 1, 2**63, -(10**400), 1e308],
    "Boolean": [*BAD_TEXTS, "true", 0, 1, *(each for each in WRONG if each is not True)],
    "Credits": [*BAD_TEXTS, *WRONG, 0, 1, "1.000", "1,00", "+1", "1e3", "NaN", "Infinity", "0x10", "\u0661", " 1"],
    "Date": [
        *(*BAD_TEXTS, *WRONG, 0, "today", "2027-02-29", "0000-01-01", "20270328", "2027-W12-7", "2027-03-28T00:00:00Z"),
        *("10000-01-01", "2027-3-28", "\uff12027-03-28", " 2027-03-28"),
    ],
    "Time": [
        *(*BAD_TEXTS, *WRONG, 0, 540, "now", "24:01", "25:00", "-1:00", "9:00", "09:60", "09:00:00", "09:00Z", "09.00"),
        *("0900", "T09:00", "\u0660\u0669:00", "09:00\n"),
    ],
    "DateTime": [
        *(*BAD_TEXTS, *WRONG, 0, 1_800_000_000, "now", "2027-03-28", "2027-03-28T09:30:00", "2027-02-29T09:30:00Z"),
        *("2027-03-28T24:00:00Z", "2027-03-28T09:30:60Z", "2027-03-28T09:30:00+24:00", "0000-01-01T00:00:00Z"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "+12027-03-28T09:30:00Z", "\uff12027-03-28T09:30Z"),
    ],
}
"""Values that are not: a fault of the request, and nothing is done."""

ONLY_LITERALS = [
    *("$unknown", "1e400", "-0", "0xFF", "NOTHING_KNOWN", '"""block"""', "{a: 1, a: 2}", "[[[[]]]]", "9" * 400),
]


def hostile(kind: GraphQLInputType | GraphQLNamedType) -> tuple[list[Any], list[Any]]:
    """Values of this type, and values that are not."""
    if isinstance(kind, GraphQLNonNull):
        good, bad = hostile(kind.of_type)
        return [each for each in good if each not in (None, LEFT_OUT)], [*bad, None]
    if isinstance(kind, GraphQLList):
        good, bad = hostile(kind.of_type)
        some = [each for each in good if each is not None][:1]  # none of inputs: their fields are gone through
        # What is no list is taken for a list of one.
        lists = [[], *([each] * HUGE_LIST for each in some), *good[:3], *([each] for each in good if each is not None)]
        wrong = [*([each] for each in bad), *(each for each in bad if each)]
        return [None, *lists], [[None], *([[[each]]] for each in some), *wrong]
    if isinstance(kind, GraphQLEnumType):
        return [None, *kind.values], [*BAD_TEXTS, *WRONG, 0, next(iter(kind.values)).lower(), "NOTHING_KNOWN"]
    if isinstance(kind, GraphQLInputObjectType):
        return [None], ["", 1, True, [], {"a": 1}]
    return [None, *OF_TYPE[kind.name]], [*NOT_OF_TYPE[kind.name]]


def places(kind: GraphQLInputObjectType, value: dict[str, Any]) -> Iterator[tuple[Path, GraphQLInputType, bool]]:
    """Where something can be put into such an input, what belongs there, and whether it may be left out."""
    for name, field in kind.fields.items():
        yield (name,), field.type, not is_required_input_field(field)
        inner, within, path = field.type, value.get(name), (name,)
        while isinstance(inner, GraphQLNonNull | GraphQLList):
            if isinstance(inner, GraphQLList) and within:
                within, path = within[0], (*path, 0)  # type: ignore[assignment]
            inner = inner.of_type
        if isinstance(inner, GraphQLInputObjectType) and within:
            for deeper, its_type, optional in places(inner, within):
                yield (*path, *deeper), its_type, optional


def put(value: Any, path: Path, hostile: Any) -> Any:
    """The same value with something else at one place."""
    changed = inner = deepcopy(value)
    for step in path[:-1]:
        inner = inner[step]
    if hostile is not LEFT_OUT:
        inner[path[-1]] = hostile
    else:
        inner.pop(path[-1], None)
    return changed


def literal(value: Any) -> str:
    """A value as it is written into a document."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {literal(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    return json.dumps(value)


def written_out(kind: GraphQLInputType, values: list[Any]) -> list[str]:
    """Literals of those of the values that are short, and some that no value has."""
    written = [literal(value) for value in values if value is not LEFT_OUT]
    if isinstance(named := get_named_type(kind), GraphQLEnumType):
        written += named.values
    return [*(each for each in written if len(each) < SHORT), *ONLY_LITERALS]


def parses(written: str) -> bool:
    """Whether a document with this in it can be read, so that whatever else is in it is looked at as well."""
    try:
        parse_value(written)
    except GraphQLSyntaxError:
        return False
    return True


def is_json(value: Any) -> bool:
    """Whether a request with this in it can be read, so that whatever else is in it is looked at as well."""
    try:
        json.dumps(None if value is LEFT_OUT else value, allow_nan=False)
    except ValueError:
        return False
    return True


def some_of(values: Sequence[Any], place: int) -> Sequence[Any]:
    """One in EVERY of them, in each place others."""
    return values[place % EVERY :: EVERY]


def in_parts(values: Sequence[Any], most: int) -> Iterator[Sequence[Any]]:
    """The values in their order, so many at most in each part."""
    for start in range(0, len(values), most):
        yield values[start : start + most]


LEAKS = re.compile(
    r"traceback|exception\b|asyncpg|tortoise|strawberry|postgres|redis|\b(select|insert|update|delete)\b.*\b(from|into|set)\b"
    r"|relation \"|column \"|\.py\b|site-packages|object at 0x|<class|<function|[a-z]Error\b",
    re.IGNORECASE,
)
"What is for us to read and not for clients."


def answered(response: httpx2.Response) -> dict[str, Any]:
    """A response that gives nothing away and is no fault of ours, whatever was sent."""
    assert response.status_code < 500, response.text[:1_000]
    answer: dict[str, Any] = response.json()
    told(answer)
    return answer


def told(answer: dict[str, Any]) -> list[str]:
    """The codes of an answer's errors; none of them is a fault of ours, and no message gives anything away."""
    codes = []
    for error in answer.get("errors", []):
        codes.append(error.get("extensions", {}).get("code"))
        assert codes[-1] not in {None, "INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE"}, error
        nothing_leaks(error["message"])
    for each in (answer.get("data") or {}).values():
        if isinstance(each, dict) and "message" in each:
            nothing_leaks(each["message"])
    return codes


def nothing_leaks(message: str) -> None:
    assert not LEAKS.search(message), message[:1_000]
