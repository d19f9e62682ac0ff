"""Who is shown what (Q5, W3): a decision for every field of every type, and everybody asks for everything.

Each viewer looks by every road there is: all queries, everything by its id, what mutations answer, what is pushed. For
whatever they come upon, it is worked out anew, from the tables, what they have to do with it.
"""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from graphql import GraphQLObjectType

from schema.ids import global_id, named_by
from schema.root import SCHEMA
from tests.driving import Client, Service, Socket
from tests.schema.asking import MUTATIONS, QUERIES, SUBSCRIPTIONS, as_named, document
from tests.schema.hostile import EVERY
from tests.schema.playing import EITHER_SIDES, EVERYBODYS, Scene, doable, make_scene
from tests.schema.watching import (
    CARRIES,
    ONESELF,
    ONESELF_AND_STAFF,
    ONLY_LISTS,
    THE_SIDES,
    WHOEVER_REACHES_IT,
    Tables,
    Watch,
)

WHO_SEES = {
    "Person": {
        WHOEVER_REACHES_IT: "id name language timeZone isExpert isStaff skills services",
        ONESELF: "calendarUrl",
        ONESELF_AND_STAFF: "email mutedKinds creditAccount",
    },
    "CreditAccount": {ONESELF_AND_STAFF: "available blocked movements"},
    "CreditMovement": {ONESELF_AND_STAFF: "id kind availableChange blockedChange note meeting occurredAt"},
    "Service": {WHOEVER_REACHES_IT: "id expert name durationMinutes price active"},
    "Skill": {WHOEVER_REACHES_IT: "id name"},
    "Reason": {WHOEVER_REACHES_IT: "code kind label"},
    "Meeting": {
        WHOEVER_REACHES_IT: "id version status creditPaymentStatus user expert service skill startsAt endsAt price"
        " durationMinutes proposedBy userAnswer expertAnswer alternativeDate alternativeDates actions reason createdAt"
        " timeline userProgress expertProgress settlement conference attendance",
        THE_SIDES: "viewerSide conflicts chat",
    },
    "MeetingDashboard": {WHOEVER_REACHES_IT: "scheduled held awaitingMyAnswer"},
    "Chat": {WHOEVER_REACHES_IT: "id people unread messages"},
    "ChatMessage": {WHOEVER_REACHES_IT: "id chat author text sentAt"},
    "Notification": {WHOEVER_REACHES_IT: "id kind title body meeting chat createdAt readAt"},
    "Conference": {WHOEVER_REACHES_IT: "state validFrom validUntil userJoinedAt expertJoinedAt", THE_SIDES: "joinUrl"},
    "Attendance": {WHOEVER_REACHES_IT: "side openedAt meetingStartsAt"},
    # When a side is shown the other's word is held in tests/resolvers/test_progress.py (E3).
    "ProgressRecord": {WHOEVER_REACHES_IT: "side progress rating comment recordedAt"},
    "Settlement": {
        WHOEVER_REACHES_IT: "outcome referred decidedBy paidToUser paidToExpert fee explanation note settledAt",
    },
    "MeetingAction": {WHOEVER_REACHES_IT: "kind allowed refusal opensAt closesAt consequences"},
    "Consequences": {
        WHOEVER_REACHES_IT: "creditsBlocked creditsReturnedToUser creditsDeductedFromUser creditsPaidToExpert"
        " acknowledgementRequired freeUntil originalDateStaysInForce conflicts",
    },
    "AlternativeDate": {WHOEVER_REACHES_IT: "id startsAt endsAt chosenBy status originalDateInForce reason chosenAt"},
    "TimelineEvent": {
        WHOEVER_REACHES_IT: "id meeting sequence kind label actor person occurredAt alternativeDate reason credits"
        " note",
    },
    "MeetingUpdate": {CARRIES: "cursor event meeting"},
    "ConflictWarning": {CARRIES: "meeting conflicts"},
    "NotificationUpdate": {CARRIES: "cursor notification"},
    "ChatMessageUpdate": {CARRIES: "cursor chatMessage"},
    "MeetingChanged": {CARRIES: "meeting events"},
    "CreditsGranted": {CARRIES: "movement"},
    "ReasonSaved": {CARRIES: "reason"},
    "ServiceSaved": {CARRIES: "service"},
    "PersonSaved": {CARRIES: "person"},
    "Availability": {WHOEVER_REACHES_IT: "timeZone weekly exceptions"},
    "WeeklyWindow": {WHOEVER_REACHES_IT: "weekday from to"},
    "AvailabilityException": {WHOEVER_REACHES_IT: "date windows"},
    "TimeWindow": {WHOEVER_REACHES_IT: "from to"},
    "FreeSlot": {WHOEVER_REACHES_IT: "startsAt endsAt"},
    "AvailabilitySaved": {CARRIES: "availability"},
    "ChatOpened": {CARRIES: "chat"},
    "ChatMessageSent": {CARRIES: "chatMessage"},
    "NotificationsRead": {CARRIES: "unread"},
    "NotFound": {CARRIES: "message"},
    "ActionRefused": {CARRIES: "message refusal currentMeeting"},
    "ConflictsFound": {CARRIES: "message conflicts"},
    "LateCancellation": {CARRIES: "message consequences"},
    "InsufficientCredits": {CARRIES: "message required available missing"},
    "InvalidInput": {CARRIES: "message field code"},
    "StaleVersion": {CARRIES: "message meeting"},
    "IdempotencyKeyReused": {CARRIES: "message"},
}
"For each type, who is shown which of its fields; all others who come upon it are shown null, or an empty list."

DECIDED = {
    f"{named}.{name}": who
    for named, decisions in WHO_SEES.items()
    for who, names in decisions.items()
    for name in names.split()
}


def shown_types() -> Iterator[GraphQLObjectType]:
    roots = (SCHEMA.query_type, SCHEMA.mutation_type, SCHEMA.subscription_type)
    for name, each in SCHEMA.type_map.items():
        about_data = not name.startswith("__") and not name.endswith(ONLY_LISTS)
        if about_data and isinstance(each, GraphQLObjectType) and each not in roots:
            yield each


SHOWN = {f"{each.name}.{name}" for each in shown_types() for name in each.fields}


def test_of_every_field_it_is_decided_who_sees_it():
    assert SHOWN - set(DECIDED) == set(), f"Decide in WHO_SEES ({__name__}) who sees these."
    assert set(DECIDED) - SHOWN == set(), f"WHO_SEES ({__name__}) decides on what there is not."


# ── the roads ──────────────────────────────────────────────────────────────────────────────────────────────────────

FOR_STAFF = {"people", "disputes"}


def roads(scene: Scene, tables: Tables) -> dict[str, list[dict[str, Any]]]:
    """With what arguments to look through each query."""
    everything = [global_id(name, *ids) for name, ids in scene.ids(tables)]
    statuses = ["AWAITING_APPROVAL", "AGREED", "REJECTED", "CANCELLED"]
    people = [client.id for client in scene.viewers.values()]
    return {
        "node": [{"id": each} for each in everything],
        "nodes": [{"ids": everything[start : start + 100]} for start in range(0, len(everything), 100)],
        "me": [{}],
        "meeting": [{"id": each} for each in scene.meetings],
        "meetings": [{}, {"status": statuses}, *({"status": statuses, "withPersonId": each} for each in people)],
        "experts": [{"skillId": scene.people.expert.skill}],
        "person": [{"id": each} for each in people],
        "disputes": [{}],
        "people": [{"search": client.sub} for client in scene.viewers.values()],
        "availability": [{"expertId": each} for each in people],
        "freeSlots": [
            {"expertId": global_id("Person", each.expert_id), "serviceId": global_id("Service", each.id), **scene.soon}
            for each in tables.services.values()
            if global_id("Person", each.expert_id) in people
        ],
        "skills": [{"search": scene.people.expert.sub}],
        "rejectionReasons": [{}],
        "cancellationReasons": [{}],
        "creditAccount": [{}],
        "meetingDashboard": [{}],
        "notifications": [{}, {"unreadOnly": True}],
        "unreadNotifications": [{}],
        "chats": [{}],
        "chat": [{"id": each} for each in scene.chats],
    }


WHAT_MAY_BE_DONE = """
query($id: ID!) { meeting(id: $id) { __typename id actions { __typename kind consequences { __typename freeUntil
  conflicts { __typename id price viewerSide conflicts { __typename id } }
} } } }
"""
"Deeper than the documents that are made of the schema go."


async def look_through_queries(scene: Scene, watch: Watch) -> None:
    ways = roads(scene, watch.tables)
    assert set(ways) == set(QUERIES), f"Say in {__name__}.roads with what arguments to look through these."
    every_node, step = ways.pop("node"), len(scene.viewers) if EVERY > 1 else 1
    for turn, viewer in enumerate(scene.viewers.values()):
        is_staff = viewer is scene.people.staff
        # Together with other things everybody asks for everything; alone each is asked for by one of them.
        ways["node"] = every_node[turn % step :: step]
        for name, each in ((name, each) for name, several in ways.items() for each in several):
            response = await viewer.post(document("query", name, tuple(each)), **each)
            answer = as_named(response.json())
            if name in FOR_STAFF and not is_staff:
                assert [error["extensions"]["code"] for error in answer.get("errors", [])] == ["FORBIDDEN"]
                assert answer["data"] == {name: None}
                continue
            assert "errors" not in answer, answer
            watch.look(viewer, answer["data"][name])
            if asked := each.get("ids", [each["id"]] if "id" in each else []):  # what is theirs to see, they are shown
                shown = answer["data"][name] if "ids" in each else [answer["data"][name]]
                theirs = [bool(watch.tables.related(viewer, *named_by(id))) for id in asked]
                assert [node is not None for node in shown] == theirs, f"{viewer.sub}: {name} of {named_by(asked[0])}"
            if given := each.get("serviceId") or each.get("expertId"):
                visible = bool(watch.tables.related(viewer, *named_by(given)))
                assert (answer["data"][name] is not None) == visible, f"{viewer.sub}: {name} of {named_by(given)}"
            if name == "meeting":
                watch.look(viewer, as_named(await viewer.ask(WHAT_MAY_BE_DONE, **each))["meeting"])
            if name == "meetings" and (is_staff or viewer is scene.people.stranger):
                assert answer["data"][name]["edges"] == []


async def act(viewer: Client, action: str, given: dict[str, Any], watch: Watch) -> str:
    """The kind of answer to an action, which is looked through with the viewer's eyes."""
    data = await viewer.ask(document("mutation", action, ("input",)), input=given)
    result = as_named(data)[action]
    kind = str(result["__typename"])
    if kind not in PROBLEMS:
        watch.tables = await Tables.read()
    watch.look(viewer, result)
    return kind


async def look_through_answers(scene: Scene, watch: Watch) -> None:
    """What actions answer: to those who may, to all others, and every kind of problem."""
    people = scene.people
    for action in MUTATIONS:
        client, given = await doable(action, people)
        watch.tables = await Tables.read()
        for who, other in scene.viewers.items():
            may_too = action in EVERYBODYS or (who == "expert" and action in EITHER_SIDES)
            if other is not client and not may_too:
                assert await act(other, action, given, watch) in {"NotFound", "ActionRefused"}
        assert await act(client, action, given, watch) not in PROBLEMS
    dear = await people.expert.act("saveService", name="Dear", durationMinutes=60, price="1000.00")
    proposal = {**people.stranger.proposal(people.expert), "startsAt": people.free()}
    reject = {"meetingId": scene.waiting, "reasonCode": scene.reason_code}
    key = {"idempotencyKey": "the same"}
    soon = await people.agreed(starts_at=people.world.at(hours=20))
    watch.tables = await Tables.read()
    for viewer, action, given, answer in [
        (people.stranger, "proposeMeeting", {**proposal, "serviceId": dear["service"]["id"]}, "InsufficientCredits"),
        (people.stranger, "proposeMeeting", {**proposal, "startsAt": people.world.at(days=-1)}, "InvalidInput"),
        (people.expert, "approveMeeting", {"meetingId": scene.waiting}, "ConflictsFound"),
        (people.expert, "rejectMeeting", {**reject, "expectedVersion": 99}, "StaleVersion"),
        (people.user, "cancelMeeting", {"meetingId": soon, "reasonCode": "OTHER"}, "LateCancellation"),
        (people.stranger, "updateProfile", {"language": "EN", **key}, "PersonSaved"),
        (people.stranger, "updateProfile", {"language": "DE", **key}, "IdempotencyKeyReused"),
    ]:
        assert await act(viewer, action, given, watch) == answer


PROBLEMS = {each.name for each in SCHEMA.get_possible_types(SCHEMA.type_map["Problem"])}  # type: ignore[arg-type]


async def look_at_what_is_pushed(scene: Scene, watch: Watch) -> None:
    """Everybody subscribes to everything; then the user takes their proposal back, and the expert writes to them."""
    arguments = {"meetingUpdates": {"meetingId": scene.waiting}, "chatMessageSent": {"chatId": scene.chats[0]}}
    nobodys = {
        "meetingUpdates": 0,
        "myMeetingUpdates": 0,
        "creditAccountUpdates": 1,
        "conflictWarnings": 0,
        "notificationReceived": 0,
        "chatMessageSent": 0,
        "disputeUpdates": 0,
    }
    sides = {"meetingUpdates": 1, "myMeetingUpdates": 1, "notificationReceived": 1, "chatMessageSent": 1}
    pushed = {
        "user": {**nobodys, **sides, "creditAccountUpdates": 2, "conflictWarnings": 1},
        "expert": {**nobodys, **sides, "conflictWarnings": 2},
        "staff": {**nobodys, "meetingUpdates": 1},
    }
    async with AsyncExitStack() as stack:
        sockets: dict[str, Socket] = {}
        for who, viewer in scene.viewers.items():
            sockets[who] = await stack.enter_async_context(viewer.socket())
            for name in SUBSCRIPTIONS:
                assert name in nobodys, f"Say in {__name__} what each viewer is pushed of {name}."
                given = arguments.get(name, {})
                query = document("subscription", name, tuple(given))
                await sockets[who].subscribe(query, name, **given)
        assert (await scene.people.user.act("cancelMeeting", meetingId=scene.waiting))["meeting"]
        await scene.people.expert.write(scene.chats[0])
        watch.tables = await Tables.read()
        for who, socket in sockets.items():
            expected = pushed.get(who, nobodys)
            counted = dict.fromkeys(nobodys, 0)
            refused = [each for each in socket.waiting if each["type"] == "error"]
            socket.waiting = [each for each in socket.waiting if each not in refused]
            codes = {each["id"]: each["payload"][0]["extensions"]["code"] for each in refused}
            denied = {name: "NOT_FOUND" for name in arguments if not expected[name]}
            denied |= {} if who == "staff" else {"disputeUpdates": "FORBIDDEN"}
            assert codes == denied, who
            for _ in range(sum(expected.values())):
                message = as_named(await socket.receive())
                assert "errors" not in message["payload"], message
                counted[message["id"]] += 1
                watch.look(scene.viewers[who], message["payload"]["data"][message["id"]])
            assert counted == {**nobodys, **expected}, who
            assert await socket.silent()


# ── the tests ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
async def scene(service: Service, in_order: None) -> Scene:
    """The same for all refusals, as they change nothing."""
    service.clock.reset()
    return await make_scene(service)


async def test_everybody_is_shown_by_every_road_what_is_theirs_to_see_and_nothing_else(world: Service):
    scene = await make_scene(world)
    watch = Watch(DECIDED, await Tables.read())
    await look_through_queries(scene, watch)
    await look_through_answers(scene, watch)
    await look_at_what_is_pushed(scene, watch)
    assert {place for place in DECIDED if not watch.seen[place]} == NEVER_YET, "Nobody came upon a value of these."
    for place, who in DECIDED.items():
        if who not in (WHOEVER_REACHES_IT, CARRIES):
            assert who <= watch.seen[place], f"{place} was not shown to everybody who may see it."
            assert watch.kept_from[place] or place.startswith(UNREACHED), f"{place} was kept from nobody."


NEVER_YET: set[str] = set()
"What nothing gives a value yet."

UNREACHED = ("CreditAccount.", "CreditMovement.")
"What nobody even comes upon who may not see it."

ALREADY, SIDE, STAFFS, UNSEEN = "ALREADY_ANSWERED", "NOT_YOUR_SIDE", "STAFF_ONLY", "NotFound"
OWN = "OWN_ALTERNATIVE_DATE"
REFUSED = {
    "proposeMeeting": {},
    "proposeMeetingToUser": {"user": SIDE, "staff": UNSEEN, "other user": UNSEEN, "stranger": UNSEEN},
    "approveMeeting": {"user": ALREADY, "staff": SIDE, "other user": UNSEEN, "stranger": UNSEEN},
    "rejectMeeting": {"user": ALREADY, "staff": SIDE, "other user": UNSEEN, "stranger": UNSEEN},
    "cancelMeeting": {"expert": SIDE, "staff": SIDE, "other user": UNSEEN, "stranger": UNSEEN},
    "chooseAlternativeDate": {"staff": SIDE, "other user": UNSEEN, "stranger": UNSEEN},
    "approveAlternativeDate": {"user": OWN, "staff": SIDE, "other user": UNSEEN, "stranger": UNSEEN},
    "rejectAlternativeDate": {"user": OWN, "staff": SIDE, "other user": UNSEEN, "stranger": UNSEEN},
    "cancelAlternativeDate": {
        "expert": "NOT_OWN_ALTERNATIVE_DATE",
        "staff": SIDE,
        "other user": UNSEEN,
        "stranger": UNSEEN,
    },
    "recordProgress": {"staff": SIDE, "other user": UNSEEN, "stranger": UNSEEN},
    "decideSettlement": {"user": STAFFS, "expert": STAFFS, "other user": UNSEEN, "stranger": UNSEEN},
    "grantCredits": dict.fromkeys(("user", "expert", "other user", "stranger"), STAFFS),
    "saveReason": dict.fromkeys(("user", "expert", "other user", "stranger"), STAFFS),
    "saveService": dict.fromkeys(("user", "staff", "other user", "stranger"), UNSEEN),
    "setAvailability": {},
    "openChat": dict.fromkeys(("staff", "other user", "stranger"), UNSEEN),
    "sendChatMessage": dict.fromkeys(("staff", "other user", "stranger"), UNSEEN),
    "markChatRead": dict.fromkeys(("staff", "other user", "stranger"), UNSEEN),
    "markNotificationsRead": dict.fromkeys(("user", "staff", "other user", "stranger"), UNSEEN),
    "setSkills": {},
    "updateProfile": {},
    "renewCalendarUrl": {},
}
"What everybody gets who wants to do what somebody else may; nothing where all only ever do it with what is their own."


@pytest.mark.parametrize("action", MUTATIONS)
async def test_what_somebody_else_may_do_is_refused_and_nothing_changes(action: str, world: Service, scene: Scene):
    assert action in REFUSED, f"Say in REFUSED ({__name__}) what others get who want to {action}."
    _, given = await doable(action, scene.people)
    async with world.nothing_changes():
        for who, refusal in REFUSED[action].items():
            data = await scene.viewers[who].ask(document("mutation", action, ("input",)), input=given)
            result = as_named(data)[action]
            assert result.get("refusal", result["__typename"]) == refusal, f"{who}: {result}"
            if refusal in (UNSEEN, STAFFS) and action != "decideSettlement":  # not even told that there is something
                assert result.get("currentMeeting") is None
