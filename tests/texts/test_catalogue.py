"""The two languages."""

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from babel.messages import Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from rules import problems
from rules.consequences import Consequences
from rules.terms import InvalidInputCode, Language, Refusal, TimelineEventKind
from texts.amounts import credits_text
from texts.labels import timeline_label
from texts.problems import problem_text

ROOT = Path(__file__).parents[2]
PACKAGES = ("jobs", "live", "models", "resolvers", "rules", "schema", "texts", "web")

EVERY_PROBLEM = [
    problems.NotFound(),
    problems.StaleVersion(),
    problems.IdempotencyKeyReused(),
    problems.ConflictsFound(()),
    problems.LateCancellation(Consequences(0, 2000, 2000, 1600, original_date_stays_in_force=False)),
    problems.InsufficientCredits(required=123_450, available=5),
    *(problems.ActionRefused(refusal) for refusal in Refusal),
    *(problems.InvalidInput("name", code) for code in InvalidInputCode),
]


def sources() -> Iterator[Path]:
    """Where texts may be written down."""
    for package in PACKAGES:
        yield from (ROOT / package).rglob("*.py")


def english() -> set[str]:
    """Every text marked with N_."""
    return {
        str(text) for path in sources() for _, text, _, _ in extract_from_file("python", path, keywords={"N_": None})
    }


def german() -> dict[str, Message]:
    with (ROOT / "texts" / "de.po").open("rb") as file:
        return {str(message.id): message for message in read_po(file) if message.id}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_every_english_text_is_said_in_german_too_and_nothing_is_left_over():
    assert english()
    assert english() == set(german())


def test_the_german_texts_are_finished_and_name_the_same_facts():
    for text, message in german().items():
        said = str(message.string)
        assert said.strip() == said != ""
        assert said != text
        assert placeholders(said) == placeholders(text)
        assert not message.fuzzy


def test_no_text_is_said_that_is_not_marked():
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                assert not isinstance(node.args[0], ast.Constant | ast.JoinedStr), f"{path}:{node.lineno}"


@pytest.mark.parametrize("language", Language)
def test_every_event_of_a_timeline_has_a_label_of_its_own(language: Language):
    labels = [timeline_label(kind, language) for kind in TimelineEventKind]
    assert len(set(labels)) == len(TimelineEventKind)


def test_every_problem_is_told_in_both_languages():
    assert {type(each) for each in EVERY_PROBLEM} == set(problems.Problem.__subclasses__())
    told = {language: [problem_text(each, language) for each in EVERY_PROBLEM] for language in Language}
    assert all(len(set(texts)) == len(EVERY_PROBLEM) for texts in told.values())
    assert not set(told[Language.EN]) & set(told[Language.DE])
    assert not any("{" in text for texts in told.values() for text in texts)


def test_p7_a_problem_tells_amounts_as_people_write_them():
    missing = problems.InsufficientCredits(required=123_450, available=5)
    assert problem_text(missing, Language.EN) == (
        "You are 1,234.45 credits short: the meeting costs 1,234.50 and you have 0.05."
    )
    assert problem_text(missing, Language.DE) == (
        "Ihnen fehlen 1.234,45 Credits: Das Treffen kostet 1.234,50, und Sie haben 0,05."
    )


@pytest.mark.parametrize(
    ("hundredths", "in_english", "in_german"),
    [
        (0, "0.00", "0,00"),
        (1, "0.01", "0,01"),
        (-1, "-0.01", "-0,01"),
        (99_999, "999.99", "999,99"),
        (100_000, "1,000.00", "1.000,00"),
        (100_000_000, "1,000,000.00", "1.000.000,00"),
        (10**17 + 1, "1,000,000,000,000,000.01", "1.000.000.000.000.000,01"),
    ],
)
def test_m4_amounts_are_written_as_people_of_each_language_do(hundredths: int, in_english: str, in_german: str):
    assert credits_text(hundredths, Language.EN) == in_english
    assert credits_text(hundredths, Language.DE) == in_german
