"""Everything that several people can do with meetings, until the last credit is paid, at random, against the model.

MODEL_RUNS, MODEL_STEPS and MODEL_SEED ask for more than the few runs that every test run affords.
"""

import asyncio
import os
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.driving import Service
from tests.journeys.playing import Play
from tests.journeys.turns import Turn, turns

RUNS = int(os.environ.get("MODEL_RUNS", "4"))
STEPS = int(os.environ.get("MODEL_STEPS", "40"))
SEED = int(os.environ.get("MODEL_SEED", "1"))

prices = st.sampled_from(["12.55", "33.33", "0.01", "0.00", "40.00"])
amounts = st.sampled_from(["200.00", "200.00", "100.00", "33.33", None])
answers = st.sampled_from(["approveMeeting", "rejectMeeting", None])
begins = st.sampled_from(
    [None, None, "MEETING_REMINDER", "MEETING_REMINDER", "JOIN", "RECORD_PROGRESS", "PROGRESS_REMINDER"]
)


class Negotiations(RuleBasedStateMachine):
    """Two users, an expert, somebody who is both, one of the staff and a stranger; a clock, and the worker."""

    def __init__(self, world: Service, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.loop = loop
        self.play = Play(world)
        self.failed = False

    def do(self, story: Coroutine[Any, Any, None]) -> None:
        """In the event loop that the service runs in; Hypothesis has a thread of its own."""
        try:
            asyncio.run_coroutine_threadsafe(story, self.loop).result()
        except BaseException:
            self.failed = True
            raise

    @initialize(
        prices=st.tuples(prices, prices),
        amounts=st.tuples(*[amounts] * 3),
        answers=st.tuples(*[answers] * 3),
        begins=begins,
    )
    def begin(
        self,
        prices: tuple[str, ...],
        amounts: tuple[str | None, ...],
        answers: tuple[str | None, ...],
        begins: str | None,
    ) -> None:
        self.do(self.play.begin(prices, amounts))
        self.do(self.play.first_proposals(["approveMeeting"] * 3 if begins else answers))
        if begins:
            self.do(self.play.wait_for(begins))
            self.do(self.play.work())

    # Of several rules Hypothesis would leave most out of any one run, and with them whole chapters of the story.
    @rule(turn=turns())
    def happens(self, turn: Turn) -> None:
        what, given = turn
        self.do(getattr(self.play, what)(**given))

    def teardown(self) -> None:
        for line in self.play.story:
            note(line)
        if not self.failed:
            self.do(self.play.end())


@pytest.mark.usefixtures("whole_answers")
async def test_whatever_several_people_do_comes_out_as_the_specification_says(world: Service):
    loop = asyncio.get_running_loop()

    @seed(SEED)
    def negotiations() -> Negotiations:
        return Negotiations(world, loop)

    bounds = settings(
        max_examples=RUNS,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink] if "MODEL_SHRINK" in os.environ else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(run_state_machine_as_test, negotiations, settings=bounds)  # type: ignore[arg-type]
