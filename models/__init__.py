"""What is remembered: tables and constraints, no decisions."""

from models.availability import Availability
from models.chats import Chat, ChatMessage
from models.clock import SandboxClock
from models.conferences import Attendance, Conference, JoinLink
from models.credits import CreditMovement
from models.deliveries import Delivery
from models.feeds import FeedEntry, Notification
from models.keys import IdempotencyKey
from models.meetings import AlternativeDate, Meeting, Reason, TimelineEvent
from models.people import Person, PersonSkill, Service, Skill
from models.settlements import ProgressRecord, Settlement, StaffFeed

__all__ = [
    "AlternativeDate",
    "Attendance",
    "Availability",
    "Chat",
    "ChatMessage",
    "Conference",
    "CreditMovement",
    "Delivery",
    "FeedEntry",
    "IdempotencyKey",
    "JoinLink",
    "Meeting",
    "Notification",
    "Person",
    "PersonSkill",
    "ProgressRecord",
    "Reason",
    "SandboxClock",
    "Service",
    "Settlement",
    "Skill",
    "StaffFeed",
    "TimelineEvent",
]
