"""What is remembered: tables and constraints, no decisions."""

from models.availability import Availability
from models.chats import Chat, ChatMessage
from models.clock import SandboxClock
from models.credits import CreditMovement
from models.feeds import FeedEntry, Notification
from models.keys import IdempotencyKey
from models.meetings import AlternativeDate, Meeting, Reason, TimelineEvent
from models.people import Person, PersonSkill, Service, Skill

__all__ = [
    "AlternativeDate",
    "Availability",
    "Chat",
    "ChatMessage",
    "CreditMovement",
    "FeedEntry",
    "IdempotencyKey",
    "Meeting",
    "Notification",
    "Person",
    "PersonSkill",
    "Reason",
    "SandboxClock",
    "Service",
    "Skill",
    "TimelineEvent",
]
