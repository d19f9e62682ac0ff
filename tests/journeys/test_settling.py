"""From the agreement to the last credit, as everybody concerned sees it."""

from tests.driving import Client, Service
from tests.negotiations import told
from tests.settlements import EXPERTIMS, SMOOTH, THEIRS, held


async def test_a_meeting_that_went_well_is_paid_when_the_user_says_so(world: Service, uma: Client, emil: Client):
    meeting = await held(world, uma, emil)
    await meeting.says("EXPERT", SMOOTH)
    seen = await meeting.seen()
    assert (seen["creditPaymentStatus"], seen["expertProgress"], seen["settlement"]) == ("BLOCKED", None, None)
    await meeting.says("USER", SMOOTH, rating=5, comment="Thank you!")
    for viewer in (uma, emil):
        seen = await meeting.seen(viewer)
        assert seen["creditPaymentStatus"] == "PAID"
        assert (seen["userProgress"]["rating"], seen["userProgress"]["comment"]) == (5, "Thank you!")
        assert seen["expertProgress"]["progress"] == SMOOTH
        assert seen["settlement"]["explanation"] == (
            "The user said that the meeting went smoothly. The expert said that the meeting went smoothly."
            " So the expert was paid."
        )
    assert await meeting.events() == [
        ("PROGRESS_RECORDED_BY_EXPERT", "EXPERT", None),
        ("PROGRESS_RECORDED_BY_USER", "USER", None),
        ("CREDITS_PAID_TO_EXPERT", "SYSTEM", "32.00"),
    ]
    assert [await uma.balance(), await emil.balance()] == [("60.00", "0.00"), ("32.00", "0.00")]


async def test_a_meeting_nobody_speaks_of_is_paid_after_a_week(world: Service, uma: Client, emil: Client):
    meeting = await held(world, uma, emil)
    await meeting.wait()
    assert await meeting.events() == [("CREDITS_PAID_TO_EXPERT", "SYSTEM", "32.00")]
    assert (await meeting.seen())["settlement"]["explanation"] == (
        "Neither side said in time that anything was wrong. So the expert was paid."
    )


async def test_a_dispute_goes_to_staff_and_its_end_to_both_sides(
    world: Service, uma: Client, emil: Client, stella: Client
):
    meeting = await held(world, uma, emil)
    updates = "subscription { disputeUpdates { event { kind } meeting { id userProgress { progress } } } }"
    async with stella.listening(updates) as desk:
        await meeting.says("USER", EXPERTIMS)
        await meeting.says("EXPERT", THEIRS)
        referral = (await desk.next())["disputeUpdates"]
        assert referral["event"]["kind"] == "REFERRED_TO_EXPERTIM"
        assert referral["meeting"] == {"id": meeting.id, "userProgress": {"progress": EXPERTIMS}}
        assert {(await told(each))[0] for each in (uma, emil)} == {"REFERRED_TO_EXPERTIM"}
        await meeting.wait()
        seen = await meeting.seen()
        assert (seen["creditPaymentStatus"], seen["settlement"]["referred"]) == ("BLOCKED", True), "staff's, for ever"
        await meeting.decide(stella, "RETURN_TO_USER", note="Our platform was down.")
        assert (await desk.next())["disputeUpdates"]["event"]["kind"] == "DECIDED_BY_EXPERTIM"
    for viewer in (uma, emil):
        settlement = (await meeting.seen(viewer))["settlement"]
        assert (settlement["outcome"], settlement["note"]) == ("RETURN_TO_USER", "Our platform was down.")
        assert settlement["explanation"].endswith("Expertim decided that the price goes back to the user.")
    assert [await uma.balance(), await emil.balance()] == [("100.00", "0.00"), ("0.00", "0.00")]
    assert (await told(uma))[0] == "PAYMENT_RETURNED"
    assert (await told(emil))[0] == "MEETING_SETTLED"
