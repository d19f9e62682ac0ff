"""People with meetings to act on, and an action that can be repeated for ever."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from bench.surroundings import Person, Web

AHEAD = timedelta(days=3)

PROPOSE = """mutation($input: ProposeMeetingInput!) { proposeMeeting(input: $input) {
  __typename ... on MeetingChanged { meeting { id } } } }"""
APPROVE = "mutation($input: ApproveMeetingInput!) { approveMeeting(input: $input) { __typename } }"
CHOOSE = "mutation($input: ChooseAlternativeDateInput!) { chooseAlternativeDate(input: $input) { __typename } }"
CANCEL = "mutation($input: CancelAlternativeDateInput!) { cancelAlternativeDate(input: $input) { __typename } }"


class Pair:
    """A user and an expert who have agreed; the user chooses another date and takes it back, again and again."""

    def __init__(self, web: Web, number: int) -> None:
        self.user, self.expert = Person(web, f"user-{number}"), Person(web, f"expert-{number}")
        service = self.expert.ask(
            "mutation($input: SaveServiceInput!) { saveService(input: $input) {"
            " ... on ServiceSaved { service { id } } } }",
            input={"name": "Advice", "durationMinutes": 60, "price": "0.00"},
        )["saveService"]["service"]["id"]
        skills = self.expert.ask(
            "mutation($input: SetSkillsInput!) { setSkills(input: $input) {"
            " ... on PersonSaved { person { id skills { id } } } } }",
            input={"names": ["Python"]},
        )["setSkills"]["person"]
        starts_at = datetime.now(UTC) + AHEAD
        asked = {"serviceId": service, "skillId": skills["skills"][0]["id"], "startsAt": starts_at.isoformat()}
        proposed = self.user.ask(PROPOSE, input={"expertId": skills["id"], **asked})["proposeMeeting"]
        self.meeting_id: str = proposed["meeting"]["id"]
        self.expert.ask(APPROVE, input={"meetingId": self.meeting_id})
        self._another = (starts_at + timedelta(days=1)).isoformat()
        self._chosen = False

    def act(self) -> None:
        """One event, for both sides."""
        given = {"meetingId": self.meeting_id}
        if self._chosen:
            answer = self.user.ask(CANCEL, input=given)["cancelAlternativeDate"]
        else:
            answer = self.user.ask(CHOOSE, input={**given, "startsAt": self._another})["chooseAlternativeDate"]
        assert answer["__typename"] == "MeetingChanged", answer
        self._chosen = not self._chosen


def act_together(pairs: list[Pair], times: int, *, at_once: int = 8) -> None:
    """So many actions of each of the pairs, some at once."""

    def act(pair: Pair) -> None:
        for _ in range(times):
            pair.act()

    with ThreadPoolExecutor(at_once) as threads:
        list(threads.map(act, pairs))
