"""Content negotiation as in GraphQL over HTTP: which of a response's two media types a client would rather have."""

import re
from collections.abc import Sequence

RESPONSE = "application/graphql-response+json"
JSON = "application/json"

WEIGHT = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")


def acceptable(accept: Sequence[str]) -> str | None:
    """The media type to answer to these Accept headers with; None if the client accepts neither."""
    header = ",".join(accept)
    if not header.strip(", \t"):
        return JSON
    weights = _weights(header)
    response, json = _weight(RESPONSE, weights), _weight(JSON, weights)
    if not response and not json:
        return None
    # Between equals, who does not name the newer type gets the one that all clients have always understood.
    return RESPONSE if response > json or (response == json and RESPONSE in weights) else JSON


def _weight(media_type: str, weights: dict[str, float]) -> float:
    """What the range says that names this type most closely."""
    return next((weights[each] for each in (media_type, "application/*", "*/*") if each in weights), 0.0)


def _weights(header: str) -> dict[str, float]:
    """The media ranges by name. Those with parameters that no answer of ours has are left out."""
    weights: dict[str, float] = {}
    for each in header.split(","):
        name, parameters = media_type_of(each)
        weight = parameters.pop("q", "1")
        if parameters in ({}, {"charset": "utf-8"}) and WEIGHT.fullmatch(weight):
            weights[name] = max(float(weight), weights.get(name, 0.0))
    return weights


def media_type_of(header: str) -> tuple[str, dict[str, str]]:
    """The media type in a header, and its parameters; all in lower case."""
    name, *rest = (part.strip().lower() for part in header.split(";"))
    return name, {key: value.strip('"') for key, sign, value in (part.partition("=") for part in rest) if sign}
