"""Documents as clients send them: parsed, validated, and remembered."""

import graphql
from cachetools import LRUCache
from graphql import DocumentNode, GraphQLError, GraphQLSyntaxError, NoSchemaIntrospectionCustomRule

from schema.costs import LimitedDepth
from schema.root import SCHEMA

# Whoever repeats a field thousands of times keeps validation busy for seconds, and everybody else waiting.
MOST_TOKENS = 1_000

# A parsed document takes up to 330 bytes for a character of its text and, however short, 3 kB; mostly it is 75. So what
# is remembered takes at most 35 MB, and one client's texts, mostly less than 1,000 characters, fit in many times.
MOST_REMEMBERED_CHARACTERS = 100_000
CHARACTERS_AT_LEAST = 100
LONGEST_REMEMBERED_DOCUMENT = 10_000


class InvalidDocument(Exception):
    """A document that does not parse, or does not fit the schema."""

    def __init__(self, code: str, errors: list[GraphQLError]) -> None:
        super().__init__(code, errors)
        self.code = code
        self.errors = errors


class Documents:
    """Valid documents by their text: checking one costs more than most answers, and clients send the same few for ever.
    What is invalid is forgotten, so that it can't push out what is in use."""

    def __init__(self, *, introspection: bool) -> None:
        self.introspection = introspection
        "Whether clients may ask for the schema itself, and are told what they may have meant."
        self._rules = [*graphql.specified_rules, LimitedDepth]
        if not introspection:
            self._rules.append(NoSchemaIntrospectionCustomRule)
        self._remembered: LRUCache[str, DocumentNode] = LRUCache(MOST_REMEMBERED_CHARACTERS, getsizeof=_weight)

    def read(self, text: str) -> DocumentNode:
        """The valid document that this text is; raises InvalidDocument."""
        try:
            return self._remembered[text]
        except KeyError:
            document = self._checked(text)
        if len(text) <= LONGEST_REMEMBERED_DOCUMENT:
            self._remembered[text] = document
        return document

    def _checked(self, text: str) -> DocumentNode:
        try:
            document = graphql.parse(text, max_lexical_tokens=MOST_TOKENS, max_comments=MOST_TOKENS)
        except GraphQLSyntaxError as error:
            raise InvalidDocument("GRAPHQL_PARSE_FAILED", [error]) from error
        if errors := graphql.validate(SCHEMA, document, self._rules, hide_suggestions=not self.introspection):
            raise InvalidDocument("GRAPHQL_VALIDATION_FAILED", errors)
        return document


def _weight(document: DocumentNode) -> int:
    assert document.loc is not None
    return max(document.loc.end, CHARACTERS_AT_LEAST)
