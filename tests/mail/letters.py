"""Letters to send in tests."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from mail.messages import Letter
from models.ids import uuid7
from rules.terms import Language, NotificationKind
from texts.notifications import Text


def letter(**changes: Any) -> Letter:
    usual = Letter(
        id=uuid7(),
        kind=NotificationKind.MEETING_APPROVED,
        text=Text("Emil Expert has agreed to your proposal", "“Advice” with Emil Expert is agreed."),
        told_at=datetime(2027, 3, 1, 12, tzinfo=UTC),
        address="uma@example.com",
        language=Language.EN,
        url="https://app.example.com/meetings/abc%3D%3D",
        unsubscribing_url=f"https://api.example.com/unsubscribe/{'x' * 64}",
    )
    return replace(usual, **changes)
