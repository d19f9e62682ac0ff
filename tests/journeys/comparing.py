"""What the model expects in the shape of the wire, and the wire's answers in the words of the model."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.journeys.model import Market
from tests.journeys.model_state import (
    EXPERT,
    EXPERTIM,
    LINK_CLOSES_AFTER,
    LINK_OPENS_BEFORE,
    USER,
    AlternativeDate,
    Meeting,
    Person,
)

AMOUNTS = {
    *("price", "credits", "required", "available", "missing", "blocked", "availableChange", "blockedChange"),
    *("paidToUser", "paidToExpert", "fee"),
}
INSTANTS = {"freeUntil", "validFrom", "validUntil"}


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
    if key in {"id", "joinUrl"}:
        return known.get(value, value)
    if key.endswith("At") or key in INSTANTS:
        return datetime.fromisoformat(value)
    return Decimal(value) if key in AMOUNTS or key.startswith("credits") else value


def whole(meeting: Meeting, viewer: Person, market: Market) -> dict[str, Any]:
    """A meeting as a mutation answers it."""
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
        "endsAt": meeting.ends_at,
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
        "timeline": [event(each, sequence, viewer) for sequence, each in enumerate(meeting.events, start=1)],
    }


def everything(meeting: Meeting, viewer: Person, market: Market) -> dict[str, Any]:
    """All that a viewer sees of a meeting."""
    shown = whole(meeting, viewer, market)
    for each, recorded in zip(shown["timeline"], meeting.events, strict=True):
        each["note"] = recorded.get("note")
    return shown | {
        "actions": market.actions(meeting, viewer),
        "conference": conference(meeting, viewer, market),
        "attendance": [
            {"side": link.side, "openedAt": at, "meetingStartsAt": link.starts_at} for link, at in meeting.attendance
        ],
        "userProgress": market.progress(meeting, USER, viewer),
        "expertProgress": market.progress(meeting, EXPERT, viewer),
        "settlement": meeting.settlement,
    }


def conference(meeting: Meeting, viewer: Person, market: Market) -> dict[str, Any] | None:
    """There is one from the first agreement on."""
    if not meeting.links:
        return None
    is_alive = meeting.status == "AGREED"
    side = meeting.side_of(viewer)
    return {
        "state": ("READY" if meeting.platform_is_ready else "PENDING") if is_alive else "CANCELLED",
        "joinUrl": meeting.links[side] if side and is_alive else None,
        "validFrom": meeting.starts_at - LINK_OPENS_BEFORE,
        "validUntil": meeting.ends_at + LINK_CLOSES_AFTER,
        "userJoinedAt": market.joined_at(meeting, USER),
        "expertJoinedAt": market.joined_at(meeting, EXPERT),
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


def event(recorded: dict[str, Any], sequence: int, viewer: Person) -> dict[str, Any]:
    """Only staff are told who acted for Expertim."""
    is_hidden = recorded["actor"] == EXPERTIM and not viewer.is_staff
    return {
        "sequence": sequence,
        "kind": recorded["kind"],
        "actor": recorded["actor"],
        "person": None if is_hidden else recorded["person"],
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
