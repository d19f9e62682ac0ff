"""Every number of the business in one place."""

from dataclasses import dataclass, field


def number(default: int, *, at_least: int = 1, at_most: int) -> int:
    """A number that can be set, within the bounds that the rest of the service can honour."""
    return field(default=default, metadata={"at_least": at_least, "at_most": at_most})


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers the rules go by; each can be set by an environment variable POLICY_<NAME IN CAPITALS>."""

    starts_at_most_days_ahead: int = number(730, at_most=36_500)
    "How far ahead a meeting may start (P4)."
    shortest_meeting_minutes: int = number(5, at_most=1_440)
    longest_meeting_minutes: int = number(480, at_most=1_440)
    highest_price_credits: int = number(1_000_000, at_most=1_000_000_000)
    "The largest price, and the largest single grant, in whole credits (P4)."
    free_cancellation_hours: int = number(48, at_least=0, at_most=10_000)
    "So many hours before its start an agreed meeting can be cancelled without more ado (K3, K4)."
    late_cancellation_percent: int = number(50, at_least=0, at_most=100)
    "What a later cancellation costs the user, of the price (K5)."
    fee_percent: int = number(20, at_least=0, at_most=100)
    "What Expertim keeps of what an expert is to receive (K5, S)."
    link_opens_minutes_before: int = number(15, at_least=0, at_most=1_440)
    "From so many minutes before the start on, a side's link lets it in (L1)."
    link_valid_minutes_after: int = number(60, at_least=0, at_most=10_000)
    "Until so many minutes after the end (L1)."
    progress_hours: int = number(168, at_most=10_000)
    "How long after its end the sides can say how a meeting went; then it is settled without them (E1, S)."
    compensation_percent: int = number(50, at_least=0, at_most=100)
    "What Expertim gives an expert, of the price, for a meeting that failed because of Expertim (S)."
    lowest_rating: int = number(1, at_most=5)
    highest_rating: int = number(5, at_most=5)
    "What a user may rate a meeting with (E1)."
    most_openings: int = number(100, at_most=10_000)
    "How many openings of one link are kept; more tell nothing new, and a page of them must stay readable (L2)."
    reminder_hours_before: int = number(24, at_least=0, at_most=10_000)
    "So many hours before the start the user is reminded of the meeting (N1)."
    link_minutes_before: int = number(60, at_least=0, at_most=10_000)
    "So many minutes before the start both sides are sent their links (N2)."
    progress_reminder_hours_after: int = number(24, at_least=0, at_most=10_000)
    "So many hours after the end a side that has not said how it went is reminded to (N3)."
    longest_name_characters: int = number(200, at_most=200)
    longest_note_characters: int = number(2_000, at_most=20_000)
    longest_chat_message_characters: int = number(4_000, at_most=20_000)
    "How much one chat message may say (H2)."
    longest_idempotency_key_characters: int = number(200, at_most=1_000)
    most_skills: int = number(100, at_most=1_000)
    "How many skills one person may have."
    most_weekly_windows: int = number(100, at_most=1_000)
    most_availability_exceptions: int = number(400, at_most=4_000)
    most_windows_of_an_exception: int = number(24, at_most=100)
    longest_slot_range_days: int = number(62, at_most=100)
    "For how long a time free slots can be asked for at once (V2)."
    slots_every_minutes: int = number(15, at_least=5, at_most=1_440)
    "How far apart the starts of an expert's free slots are (V2)."
    idempotency_keys_kept_hours: int = number(48, at_least=24, at_most=100_000)
    "How long the first answer to a key can be asked for again (I1)."
