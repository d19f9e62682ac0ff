"""The numbers of the business, and what the rest of the service relies on."""

import dataclasses
from datetime import timedelta

from models.meetings import LONGEST_MEETING
from rules.policy import Policy


def test_p4_no_policy_allows_meetings_longer_than_lists_look_for():
    (longest,) = [each for each in dataclasses.fields(Policy) if each.name == "longest_meeting_minutes"]
    assert timedelta(minutes=longest.metadata["at_most"]) <= LONGEST_MEETING
