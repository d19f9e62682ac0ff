"""What a side brought about itself, confirmed to it by e-mail alone, so that its calendar learns of it too (N, N4)."""

from models import Meeting, Notification, Person
from resolvers.notifying import text_for
from texts.mails import confirmation_text
from texts.notifications import Text


async def recipient_of(told: Notification, *, confirmation: bool) -> Person:
    """Who is notified, or the other side of that meeting, who brought it about."""
    if not confirmation:
        return await Person.get(id=told.person_id)
    meeting = await Meeting.get(id=told.meeting_id)
    return await Person.get(id=meeting.expert_id if told.person_id == meeting.user_id else meeting.user_id)


async def words_for(recipient: Person, told: Notification, *, confirmation: bool) -> Text:
    """What the e-mail says to its recipient, in their language and on their clock."""
    if not confirmation:
        return text_for(recipient, told)
    other = await Person.get(id=told.person_id)
    return confirmation_text(told.kind, told.facts | {"other": other.name}, recipient.language, recipient.time_zone)
