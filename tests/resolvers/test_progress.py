"""Saying how a meeting went, over the public API: when, by whom, and who is shown it when (E1-E3)."""

from typing import Any

import pytest

from tests.driving import Client, Service
from tests.settlements import DONE, EXPERTIMS, MINE, SMOOTH, THEIRS, WEEK_HOURS, Held, held

OTHER = {"USER": "EXPERT", "EXPERT": "USER"}
SIDE = pytest.mark.parametrize("side", OTHER)


async def recording(meeting: Held, side: str) -> dict[str, Any]:
    """What a side is shown of being able to say how it went."""
    actions = (await meeting.seen(meeting.side(side)))["actions"]
    (found,) = [each for each in actions if each["kind"] == "RECORD_PROGRESS"]
    return found


@SIDE
async def test_e1_it_is_open_from_the_end_until_168_h_after_it_to_the_microsecond(
    world: Service, uma: Client, emil: Client, side: str
):
    meeting = await held(world, uma, emil)
    end = world.clock.time
    world.clock.advance(microseconds=-1)
    async with world.nothing_changes():
        early = await meeting.attempt(side, THEIRS)
    assert (early["refusal"], early["currentMeeting"]["id"]) == ("TOO_EARLY", meeting.id)
    action = await recording(meeting, side)
    assert (action["refusal"], action["opensAt"], action["closesAt"]) == ("TOO_EARLY", end.isoformat(), None)

    world.clock.advance(microseconds=1, hours=WEEK_HOURS)
    async with world.nothing_changes():
        assert (await meeting.attempt(side, THEIRS))["refusal"] == "TOO_LATE"
    assert (await recording(meeting, side))["refusal"] == "TOO_LATE"
    closes_at = world.clock.time
    world.clock.advance(microseconds=-1)
    action = await recording(meeting, side)
    assert (action["refusal"], action["opensAt"], action["closesAt"]) == (None, None, closes_at.isoformat())
    await world.beat()  # which does not find it due yet
    assert await meeting.says(side, THEIRS) == [f"PROGRESS_RECORDED_BY_{side}"]
    assert (await recording(meeting, side))["refusal"] == "ALREADY_RECORDED"


@SIDE
async def test_e1_once(world: Service, uma: Client, emil: Client, side: str):
    meeting = await held(world, uma, emil)
    await meeting.says(side, EXPERTIMS)
    async with world.nothing_changes():
        for progress in (EXPERTIMS, SMOOTH):
            assert (await meeting.attempt(side, progress))["refusal"] == "ALREADY_RECORDED"


async def test_e1_the_user_alone_rates_and_comments(world: Service, uma: Client, emil: Client, stella: Client):
    meeting = await held(world, uma, emil)
    async with world.nothing_changes():
        for side, given, field, code in (
            ("USER", {"rating": 0}, "rating", "OUT_OF_RANGE"),
            ("USER", {"rating": 6}, "rating", "OUT_OF_RANGE"),
            ("USER", {"comment": "x" * 2001}, "comment", "TOO_LONG"),
            ("USER", {"comment": "\x00"}, "comment", "MALFORMED"),
            ("EXPERT", {"rating": 5}, "rating", "UNKNOWN"),
            ("EXPERT", {"comment": "Nice"}, "comment", "UNKNOWN"),
        ):
            result = await meeting.attempt(side, SMOOTH, **given)
            assert (result["__typename"], result["field"], result["code"]) == ("InvalidInput", field, code)
    await meeting.says("USER", SMOOTH, rating=5, comment=" Well done. ")
    at = world.clock.time.isoformat()
    expected = {"side": "USER", "progress": SMOOTH, "rating": 5, "comment": "Well done.", "recordedAt": at}
    for viewer in (uma, emil, stella):
        assert (await meeting.seen(viewer))["userProgress"] == expected


async def test_e1_q4_what_stands_in_the_way_in_its_order(world: Service, uma: Client, emil: Client, stella: Client):
    meeting = await held(world, uma, emil)
    stranger = await world.somebody("Sam Stranger")
    await meeting.says("EXPERT", SMOOTH)

    async def answer(who: Client, **given: Any) -> Any:
        result = await who.act("recordProgress", meetingId=meeting.id, progress=SMOOTH, **given)
        return result.get("refusal") or result.get("field") or result["__typename"]

    async with world.nothing_changes():
        assert await answer(stranger, rating=9) == "NotFound"
        assert await answer(emil, rating=9, expectedVersion=1) == "rating"
        assert await answer(emil, rating=5, expectedVersion=1) == "StaleVersion"
        assert await answer(emil, rating=5) == "ALREADY_RECORDED"
        assert await answer(stella) == "NOT_YOUR_SIDE"


@SIDE
async def test_e1_what_is_not_agreed_was_not_held(world: Service, uma: Client, emil: Client, side: str):
    meeting = await uma.proposed(emil)
    await emil.act("rejectMeeting", meetingId=meeting["id"], reasonCode="OTHER")
    world.clock.advance(days=2)
    async with world.nothing_changes():
        assert (await Held(world, uma, emil, meeting["id"]).attempt(side, SMOOTH))["refusal"] == "WRONG_STATUS"


async def test_i1_what_is_said_is_said_once_under_its_key(world: Service, uma: Client, emil: Client):
    meeting = await held(world, uma, emil)
    first = await meeting.attempt("USER", SMOOTH, idempotencyKey="once")
    async with world.nothing_changes():
        assert await meeting.attempt("USER", SMOOTH, idempotencyKey="once") == first
        reused = await meeting.attempt("USER", THEIRS, idempotencyKey="once")
    assert (first["__typename"], reused["__typename"]) == (DONE, "IdempotencyKeyReused")


async def words(meeting: Held, viewer: Client) -> tuple[str | None, str | None]:
    """What a viewer is shown of what the user and the expert said."""
    seen = await meeting.seen(viewer)
    user, expert = seen["userProgress"], seen["expertProgress"]
    return user and user["progress"], expert and expert["progress"]


@pytest.mark.parametrize(
    ("first", "word"), [("USER", THEIRS), ("USER", EXPERTIMS), ("EXPERT", SMOOTH), ("EXPERT", THEIRS)]
)
async def test_e3_the_others_word_is_kept_from_a_side_until_it_has_spoken_itself(
    world: Service, uma: Client, emil: Client, stella: Client, first: str, word: str
):
    meeting = await held(world, uma, emil)
    speaker, listener = meeting.side(first), meeting.side(OTHER[first])
    updates = "subscription { myMeetingUpdates { event { kind } meeting { userProgress { progress } expertProgress { progress } } } }"  # noqa: E501
    shown = (word, None) if first == "USER" else (None, word)
    async with listener.listening(updates) as theirs, speaker.listening(updates) as own:
        await meeting.says(first, word)
        for socket, pair in ((theirs, (None, None)), (own, shown)):
            pushed = (await socket.next())["myMeetingUpdates"]
            assert pushed["event"]["kind"] == f"PROGRESS_RECORDED_BY_{first}", "on the timeline at once"
            records = (pushed["meeting"]["userProgress"], pushed["meeting"]["expertProgress"])
            assert tuple(record and record["progress"] for record in records) == pair
    assert await words(meeting, speaker) == await words(meeting, stella) == shown
    assert await words(meeting, listener) == (None, None)
    assert (await meeting.seen(listener))["settlement"] is None
    world.clock.advance(hours=1)
    await meeting.says(OTHER[first], THEIRS)
    assert None not in await words(meeting, listener)
    assert await words(meeting, listener) == await words(meeting, speaker) == await words(meeting, stella)


@SIDE
async def test_e3_it_is_shown_once_168_h_have_passed_by_the_clock_whether_or_not_the_worker_was_there(
    world: Service, uma: Client, emil: Client, side: str
):
    meeting = await held(world, uma, emil)
    await meeting.says(side, EXPERTIMS)
    listener = meeting.side(OTHER[side])
    world.clock.advance(hours=WEEK_HOURS, microseconds=-1)
    assert await words(meeting, listener) == (None, None)
    world.clock.advance(microseconds=1)
    assert EXPERTIMS in await words(meeting, listener)
    await world.beat()
    assert EXPERTIMS in await words(meeting, listener)


@pytest.mark.parametrize(("side", "word"), [("USER", SMOOTH), ("USER", MINE), ("EXPERT", MINE)])
async def test_e3_it_is_shown_once_it_is_settled(world: Service, uma: Client, emil: Client, side: str, word: str):
    meeting = await held(world, uma, emil)
    await meeting.says(side, word)
    assert word in await words(meeting, meeting.side(OTHER[side]))
