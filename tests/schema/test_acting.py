"""What an input comes to as an attempt at an action (I1)."""

from dataclasses import dataclass
from datetime import UTC, datetime

from schema.acting import attempt


@dataclass
class Before:
    """An input as it was."""

    meeting_id: str
    starts_at: datetime = datetime(2027, 1, 1, tzinfo=UTC)
    idempotency_key: str | None = None


@dataclass
class After(Before):
    """The same input after the contract has grown."""

    acknowledge_conflicts: bool = False
    reason_code: str | None = None


def test_i1_a_field_that_is_new_in_the_contract_makes_no_other_input_of_those_without_it():
    assert attempt("act", Before("x")).input_digest == attempt("act", After("x")).input_digest
    assert attempt("act", Before("x")).input_digest != attempt("act", After("x", reason_code="y")).input_digest


def test_i1_the_action_is_part_of_the_digest_and_the_key_is_not():
    assert attempt("one", Before("x")).input_digest != attempt("another", Before("x")).input_digest
    assert attempt("one", Before("x", idempotency_key="k")).input_digest == attempt("one", Before("x")).input_digest
