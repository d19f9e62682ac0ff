"""What a document may ask for at most."""

import graphql
import pytest

from schema.documents import Documents, InvalidDocument

TOO_DEEP = "At most 20 fields and 3 lists may lie within one another."


def timelines(number: int) -> str:
    """So many timelines within one another, each of which multiplies the one around it."""
    return "timeline { edges { node { meeting { id " * number + " } } } }" * number


def refusal(query: str) -> str | None:
    try:
        Documents(introspection=True).read(query)
    except InvalidDocument as fault:
        return fault.errors[0].message
    return None


@pytest.mark.parametrize(
    "query",
    [
        f"{{ meetings {{ edges {{ node {{ {timelines(2)} }} }} }} }}",
        "{ creditAccount { movements { edges { node { meeting { timeline { edges { node { label } } } } } } } } }",
        "{ me { services { expert { services { expert { skills { id } } } } } } }",
        "{ " + " ".join(f"m{n}: meetings {{ edges {{ node {{ id }} }} }}" for n in range(50)) + " }",
        graphql.get_introspection_query(),
    ],
)
def test_what_a_page_needs_may_be_asked_for(query: str):
    assert refusal(query) is None


@pytest.mark.parametrize(
    "query",
    [
        f"{{ meetings {{ edges {{ node {{ {timelines(3)} }} }} }} }}",
        f"query($id: ID!) {{ meeting(id: $id) {{ {timelines(4)} }} }}",
        f"query($id: ID!) {{ meeting(id: $id) {{ ... on Node {{ ... on Meeting {{ {timelines(4)} }} }} }} }}",
        "{ me { ...a } } fragment a on Person { services { expert { ...b } } }"
        " fragment b on Person { services { expert { services { expert { skills { id } } } } } }",
        f"subscription {{ myMeetingUpdates {{ meeting {{ {timelines(4)} }} }} }}",
    ],
)
def test_lists_in_lists_in_lists_in_lists_are_refused_before_anything_is_read(query: str):
    assert refusal(query) == TOO_DEEP


def test_a_fragment_is_looked_at_once_however_often_it_is_spread():
    fragments = " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} ...f{n + 1} }}" for n in range(60))
    assert refusal(f"{{ ...f0 }} {fragments} fragment f60 on Query {{ me {{ id }} }}") is None


@pytest.mark.parametrize(
    "query",
    ["{ ...a } fragment a on Query { ...a }", "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }"],
)
def test_fragments_that_contain_themselves_are_refused_and_end(query: str):
    assert "within itself" in (refusal(query) or "")
