"""The one write transaction: key, locks, story, ledger, feeds, commit, news.

Locks are taken in one order, always FOR NO KEY UPDATE: the idempotency key's row, one meeting's or one chat's row, then
the rows of the people concerned, ascending, once. A person's row guards their calendar, both their balances and their
feed.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from tortoise.connection import get_connection

from models import IdempotencyKey, Meeting, Person
from models.transactions import transaction
from resolvers.action import Action
from resolvers.world import world
from rules.inputs import storable
from rules.problems import IdempotencyKeyReused, InvalidInput, StaleVersion
from rules.terms import InvalidInputCode

RETRIED = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
MOST_TRIES = 5


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at an action: what makes a repetition safe, and what the client believes."""

    input_digest: bytes
    "SHA-256 of the action's name and its input."
    idempotency_key: str | None = None
    expected_version: int | None = None

    def check(self) -> None:
        """What is wrong with the key, as far as the input alone shows it."""
        if self.idempotency_key is None:
            return
        if not self.idempotency_key.strip():
            raise InvalidInput("idempotencyKey", InvalidInputCode.REQUIRED)
        if not storable(self.idempotency_key):
            raise InvalidInput("idempotencyKey", InvalidInputCode.MALFORMED)
        if len(self.idempotency_key) > world().policy.longest_idempotency_key_characters:
            raise InvalidInput("idempotencyKey", InvalidInputCode.TOO_LONG)

    def check_version(self, meeting: Meeting) -> None:
        """A client that expects another version has not seen what it would act on."""
        if self.expected_version is not None and self.expected_version != meeting.version:
            raise StaleVersion

    @property
    def usable_key(self) -> str | None:
        """The key, unless it is one that nothing can have been done under."""
        try:
            self.check()
        except InvalidInput:
            return None
        return self.idempotency_key


@dataclass(frozen=True, slots=True)
class Done:
    """What an action did, by reference: the meeting it changed or the thing it made, and the events it recorded."""

    made_id: UUID
    first_event: int | None = None
    last_event: int | None = None


NO_ATTEMPT = Attempt(input_digest=b"")
"What the service does by itself; doing it again would do it again."

Story = Callable[[Action], Awaitable[Done]]


async def act(attempt: Attempt, *, by: Person | None, story: Story) -> Done:
    """Carry a story out in one transaction and tell those concerned; with the same key it is done once (I1, I2).

    Raises the story's Problem, or IdempotencyKeyReused; then nothing was written, and the key is free again.
    """
    tries = 0
    while True:
        try:
            async with transaction():
                action = Action()
                done = await _once(attempt, action, story, by=by)
            break
        except RETRIED:
            tries += 1
            if tries == MOST_TRIES:
                raise
            await asyncio.sleep(random.uniform(0, 0.02 * 2**tries))
    world().announce(action.news)
    return done


async def _once(attempt: Attempt, action: Action, story: Story, *, by: Person | None) -> Done:
    key = attempt.usable_key
    if key is None or by is None:
        done = await story(action)
        await action.write()
        return done
    kept = await _take_key(key, attempt, by=by)
    if kept.made_id is not None:
        if kept.input_digest != attempt.input_digest:
            raise IdempotencyKeyReused
        return Done(kept.made_id, kept.first_event, kept.last_event)
    done = await story(action)
    await action.write()
    await IdempotencyKey.filter(id=kept.id).update(
        made_id=done.made_id, first_event=done.first_event, last_event=done.last_event
    )
    return done


async def _take_key(key: str, attempt: Attempt, *, by: Person) -> IdempotencyKey:
    """The key's row, locked: a new one that nothing has been done under yet, or what was done under it before.

    Waits for whoever is using it right now. The update changes nothing: it locks the row, as FOR NO KEY UPDATE would,
    and returns it.
    """
    rows = await get_connection("default").execute_query_dict(
        "INSERT INTO idempotency_key (id, person_id, key, input_digest, created_at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (person_id, key) DO UPDATE SET input_digest = idempotency_key.input_digest RETURNING *",
        [world().new_id(), by.id, key, attempt.input_digest, await world().clock.now()],
    )
    return IdempotencyKey(**rows[0])
