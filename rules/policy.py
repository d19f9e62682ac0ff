"""Every number of the business in one place."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers the rules go by; each can be set by an environment variable POLICY_<NAME IN CAPITALS>."""

    starts_at_most_days_ahead: int = 730
    "How far ahead a meeting may start (P4)."
    shortest_meeting_minutes: int = 5
    longest_meeting_minutes: int = 480
    highest_price_credits: int = 1_000_000
    "The largest price, and the largest single grant, in whole credits (P4)."
    longest_name_characters: int = 200
    longest_note_characters: int = 2_000
    longest_idempotency_key_characters: int = 200
    idempotency_keys_kept_hours: int = 48
    "How long the first answer to a key can be asked for again; 24 or more (I1)."
