"""The schema that is committed, for people and clients to read."""

import subprocess
import sys
from enum import StrEnum
from pathlib import Path

from graphql import build_schema, print_schema

from rules import terms
from schema.enums import ENUMS
from schema.root import SCHEMA, schema_text
from schema.snapshot import SNAPSHOT

ROOT = Path(__file__).parents[2]


def test_the_committed_schema_is_the_one_that_is_served():
    assert SNAPSHOT.read_text() == schema_text()
    assert print_schema(build_schema(SNAPSHOT.read_text())) == print_schema(SCHEMA)


def test_checking_the_snapshot_writes_nothing_and_agrees():
    before = SNAPSHOT.stat().st_mtime_ns
    subprocess.run([sys.executable, "-m", "schema.snapshot", "--check"], cwd=ROOT, check=True)
    assert SNAPSHOT.stat().st_mtime_ns == before


def test_the_enums_of_the_contract_are_those_of_the_rules_with_equal_name_and_value():
    for enum in ENUMS:
        assert issubclass(enum, StrEnum)
        assert enum.__module__ == terms.__name__
        assert all(member.name == member.value for member in enum)
        assert set(getattr(SCHEMA.type_map[enum.__name__], "values")) == set(enum.__members__)  # noqa: B009
