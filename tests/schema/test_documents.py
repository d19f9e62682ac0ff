"""Documents: what is remembered of them, and what clients are told of the schema."""

import gc
import tracemalloc

import graphql
import pytest
from graphql import DocumentNode, GraphQLError

from schema.documents import (
    CHARACTERS_AT_LEAST,
    LONGEST_REMEMBERED_DOCUMENT,
    MOST_REMEMBERED_CHARACTERS,
    Documents,
    InvalidDocument,
)
from tests.driving import mutation

ME = "{ me { id } }"
MEBIBYTE = 2**20


@pytest.fixture
def documents() -> Documents:
    """As they are in production."""
    return Documents(introspection=False)


@pytest.fixture
def open_documents() -> Documents:
    """As they are in a sandbox."""
    return Documents(introspection=True)


def padded(length: int, number: int = 0) -> str:
    """A valid document of this length."""
    text = f'{{ meeting(id: "{number}") {{ id }} }}'
    return text.replace('"', f'"{"x" * (length - len(text))}', 1)


def errors(documents: Documents, text: str) -> list[GraphQLError]:
    with pytest.raises(InvalidDocument) as raised:
        documents.read(text)
    return raised.value.errors


def test_a_document_is_parsed_and_validated_once(documents: Documents):
    assert documents.read(ME) is documents.read(ME)
    assert documents.read(ME) is not documents.read(f"{ME} ")


@pytest.mark.parametrize(
    ("length", "number"),
    [(9_000, MOST_REMEMBERED_CHARACTERS // 9_000), (40, MOST_REMEMBERED_CHARACTERS // CHARACTERS_AT_LEAST)],
)
def test_what_is_used_stays_and_the_longest_unused_goes(documents: Documents, length: int, number: int):
    used, unused = documents.read(ME), documents.read(padded(length))
    for each in range(1, number + 1):
        documents.read(padded(length, each))
        assert documents.read(ME) is used
    assert documents.read(padded(length)) is not unused


def test_a_document_too_long_to_be_remembered_is_read_and_pushes_nothing_out(documents: Documents):
    used = documents.read(ME)
    text = padded(LONGEST_REMEMBERED_DOCUMENT)
    assert documents.read(text) is documents.read(text)
    for length in (LONGEST_REMEMBERED_DOCUMENT + 1, MOST_REMEMBERED_CHARACTERS + 1):
        text = padded(length)
        assert isinstance(documents.read(text), DocumentNode)
        assert documents.read(text) is not documents.read(text)
    assert documents.read(ME) is used


def test_invalid_documents_push_nothing_out(documents: Documents):
    used = documents.read(ME)
    for number in range(30):
        assert errors(documents, padded(9_000, number) + "{")
        assert errors(documents, padded(9_000, number).replace("id }", "nothing }"))
    assert documents.read(ME) is used


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{me{id}}#%d", id="as short as can be"),
        pytest.param("{" + "...{" * 15 + "me{id}" + "}" * 15 + "}#%d", id="nested"),
        pytest.param("{me{" + "id " * 200 + "}}#%d", id="many fields"),
        pytest.param("{me{" + "id@skip(if:0>1)".replace("0>1", "true") * 120 + "}}#%d", id="directives"),
        pytest.param("{" + "me{...{id}}" * 80 + "}#%d", id="inline fragments"),
        pytest.param("{me{id}}" + "#\n" * 900 + "#%d", id="comments"),
        pytest.param(mutation("proposeMeeting", whole=True) + "#%d", id="as clients write them"),
    ],
)
def test_what_is_remembered_takes_some_tens_of_megabytes_at_most_whatever_is_sent(documents: Documents, text: str):
    documents.read(text % 0)  # with whatever is made on first use
    some = 4
    gc.collect()
    tracemalloc.start()
    try:
        for number in range(1, some + 1):
            documents.read(text % number)
        gc.collect()
        each, _ = (size / some for size in tracemalloc.get_traced_memory())
    finally:
        tracemalloc.stop()
    assert each * MOST_REMEMBERED_CHARACTERS / max(len(text), CHARACTERS_AT_LEAST) < 40 * MEBIBYTE


@pytest.mark.parametrize("text", ["{ __schema { queryType { name } } }", '{ __type(name: "Person") { name } }'])
def test_the_schema_is_told_only_where_it_may_be(documents: Documents, open_documents: Documents, text: str):
    assert "introspection has been disabled" in errors(documents, text)[0].message
    open_documents.read(text)


@pytest.mark.parametrize("everything", [False, True])
def test_the_questions_of_tools_are_let_through(open_documents: Documents, everything: bool):
    open_documents.read(
        graphql.get_introspection_query(
            descriptions=True,
            specified_by_url=everything,
            directive_is_repeatable=everything,
            schema_description=everything,
            input_value_deprecation=everything,
        )
    )


def test_the_name_of_a_type_is_always_told(documents: Documents):
    documents.read("{ __typename me { __typename } }")


@pytest.mark.parametrize(
    "text", ["{ mee { id } }", "{ me { idd } }", '{ meeting(idd: "x") { id } }', "query ($x: Persn) { me { id } }"]
)
def test_what_may_have_been_meant_is_told_only_where_the_schema_is(
    documents: Documents, open_documents: Documents, text: str
):
    assert not [error for error in errors(documents, text) if "Did you mean" in error.message]
    assert [error for error in errors(open_documents, text) if "Did you mean" in error.message]
