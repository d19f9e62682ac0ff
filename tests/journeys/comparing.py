"""What the model expects in the shape of the wire, and the wire's answers in the words of the model."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.journeys.model import Market
from tests.journeys.model_state import EXPERT, USER, AlternativeDate, Meeting, Person

AMOUNTS = {"price", "credits", "required", "available", "missing", "blocked", "availableChange", "blockedChange"}
INSTANTS = {"freeUntil"}


def plain(value: Any, known: dict[str, Any], key: str = "") -> Any:
    """An answer with ids as what they stand for, amounts and instants as such, and lists of actions by their kind."""
    match value:
        case None:
            return None
        case dict() if key == "consequences":
            effects = {name: plain(each, known, name) for name, each in value.items()}
            return effects if any(effects.values()) else None
        case list() if key == "conflicts":
            return sorted((plain(each, known) for each in value), key=lambda meeting: meeting.number)
        case {"edges": edges}:
            return [plain(edge["node"], known) for edge in edges]
        case {"id": id, **rest} if not rest:
            return known.get(id, id)
        case {"code": code, **rest} if not rest:
            return code
        case {"kind": _, "allowed": _, **_rest}:
            return {name: plain(each, known, name) for name, each in value.items() if name != "kind"}
        case dict():
            return {name: plain(each, known, name) for name, each in value.items()}
        case [{"kind": _, "allowed": _, **_rest}, *_]:
            return {each["kind"]: plain(each, known) for each in value}
        case list():
            return [plain(each, known) for each in value]
    if key == "id":
        return known.get(value, value)
    if key.endswith("At") or key in INSTANTS:
        return datetime.fromisoformat(value)
    return Decimal(value) if key in AMOUNTS or key.startswith("credits") else value


def whole(meeting: Meeting, viewer: Person, market: Market) -> dict[str, Any]:
    """All that a viewer sees of a meeting."""
    length = timedelta(minutes=meeting.minutes)
    alternatives = [alternative_date(each, length) for each in reversed(meeting.alternatives)]
    pending = meeting.pending
    return {
        "id": meeting,
        "version": len(meeting.events),
        "status": meeting.status,
        "creditPaymentStatus": meeting.credit_status,
        "viewerSide": meeting.side_of(viewer),
        "startsAt": meeting.starts_at,
        "endsAt": meeting.starts_at + length,
        "durationMinutes": meeting.minutes,
        "price": meeting.price,
        "proposedBy": meeting.proposed_by,
        "userAnswer": meeting.answers[USER],
        "expertAnswer": meeting.answers[EXPERT],
        "user": meeting.sides[USER],
        "expert": meeting.sides[EXPERT],
        "service": meeting.service,
        "skill": meeting.service,
        "reason": meeting.reason,
        "alternativeDate": alternative_date(pending, length) if pending else None,
        "alternativeDates": alternatives,
        "conflicts": market.conflicts(meeting, viewer),
        "timeline": [event(each, sequence) for sequence, each in enumerate(meeting.events, start=1)],
        "actions": market.actions(meeting, viewer),
    }


def alternative_date(chosen: AlternativeDate, length: timedelta) -> dict[str, Any]:
    return {
        "id": chosen,
        "startsAt": chosen.starts_at,
        "endsAt": chosen.starts_at + length,
        "chosenBy": chosen.chosen_by,
        "status": chosen.status,
        "originalDateInForce": chosen.beside_a_date_in_force and chosen.status == "PENDING",
        "reason": chosen.reason,
        "chosenAt": chosen.chosen_at,
    }


def event(recorded: dict[str, Any], sequence: int) -> dict[str, Any]:
    return {
        "sequence": sequence,
        "kind": recorded["kind"],
        "actor": recorded["actor"],
        "person": recorded["person"],
        "reason": recorded.get("reason"),
        "credits": recorded.get("credits"),
        "occurredAt": recorded["at"],
        "alternativeDate": recorded.get("alternative"),
    }


def differences(expected: Any, actual: Any, where: str = "") -> list[str]:
    """Where the two differ, each on a line."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return [
            line
            for key in {**expected, **actual}
            for line in differences(expected.get(key), actual.get(key), f"{where}.{key}")
        ]
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        return [
            line
            for n, (one, other) in enumerate(zip(expected, actual, strict=True))
            for line in differences(one, other, f"{where}[{n}]")
        ]
    return [] if expected == actual else [f"{where}: expected {expected}, found {actual}"]
