"""What the environment says, and what is said to whoever got it wrong: one line for each variable, all at once."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rules.policy import Policy
from settings import InvalidSettings, Settings, parse_settings

REPOSITORY = Path(__file__).resolve().parents[1]
SECRET = "x" * 32
WHOLE = {
    "DATABASE_URL": "postgres://somebody:pass%20word@db.example.com:5433/meetings",
    "REDIS_URL": "redis://cache.example.com:6380/1",
    "AUTH_SECRET": SECRET,
    "LINK_SECRET": SECRET[::-1],
}


def wrong(**variables: str | None) -> list[str]:
    """The lines said of an environment that is right but for these variables; None removes one."""
    environment = {name: value for name, value in {**WHOLE, **variables}.items() if value is not None}
    with pytest.raises(InvalidSettings) as refused:
        parse_settings(environment)
    return str(refused.value).splitlines()


def test_what_is_given_is_taken_and_the_rest_has_defaults():
    settings = parse_settings(WHOLE)
    assert settings == Settings(
        database_url=WHOLE["DATABASE_URL"],
        redis_url=WHOLE["REDIS_URL"],
        auth_secret=SECRET,
        link_secret=SECRET,
        port=8000,
        public_url="http://localhost:8000",
        sandbox=False,
        policy=Policy(),
    )


def test_everything_can_be_set():
    settings = parse_settings(
        {
            **WHOLE,
            "DATABASE_URL": "postgresql://[::1]/meetings",
            "REDIS_URL": "rediss://cache.example.com",
            "PORT": "9000",
            "PUBLIC_URL": "https://meetings.example.com",
            "SANDBOX": "1",
            "POLICY_LONGEST_MEETING_MINUTES": "90",
        }
    )
    assert settings.port == 9000
    assert settings.public_url == "https://meetings.example.com"
    assert settings.sandbox is True
    assert settings.policy == Policy(longest_meeting_minutes=90)


def test_the_public_address_follows_the_port():
    assert parse_settings({**WHOLE, "PORT": "9000"}).public_url == "http://localhost:9000"


def test_an_empty_variable_counts_as_missing():
    empty = dict.fromkeys(["PORT", "PUBLIC_URL", "SANDBOX", "POLICY_LONGEST_MEETING_MINUTES"], "")
    assert parse_settings({**WHOLE, **empty}) == parse_settings(WHOLE)


def test_variables_of_others_are_none_of_our_business():
    assert parse_settings({**WHOLE, "POLICYX": "x", "MY_POLICY_X": "1", "PATH": "/bin"}) == parse_settings(WHOLE)


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "AUTH_SECRET", "LINK_SECRET"])
@pytest.mark.parametrize("value", [None, ""])
def test_what_is_needed_and_missing_is_said_in_one_line(name: str, value: str | None):
    (line,) = wrong(**{name: value})
    assert line.startswith(f"{name} is missing: ")


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "PUBLIC_URL"])
@pytest.mark.parametrize(
    "value",
    [
        "x",
        "localhost:5432",
        "mysql://localhost/x",
        "ftp://localhost",
        "//localhost",
        "{}://",
        "{}:///meetings",
        "{}://[",
        "{}://[::1",
        "{}://localhost:x/meetings",
        "{}://localhost:99999/meetings",
        " {}://localhost",
        "{}://local\udcffhost",
        "{}://a]b",
        "{}://localhost:0",
        "unix:///run/server.sock",
    ],
)
def test_an_address_that_is_none_is_said_in_one_line(name: str, value: str):
    scheme = {"DATABASE_URL": "postgres", "REDIS_URL": "redis", "PUBLIC_URL": "https"}[name]
    (line,) = wrong(**{name: value.format(scheme)})
    assert line == f"{name} must look like {scheme}://host..."


@pytest.mark.parametrize("name", ["AUTH_SECRET", "LINK_SECRET"])
@pytest.mark.parametrize("sandbox", ["0", "1"])
def test_a_secret_must_be_long_enough_also_in_a_sandbox(name: str, sandbox: str):
    (line,) = wrong(**{name: "x" * 31, "SANDBOX": sandbox})
    assert line.startswith(f"{name} is too short: ")
    assert "x" * 31 not in line


def test_the_length_of_a_secret_is_counted_in_bytes():
    assert parse_settings({**WHOLE, "AUTH_SECRET": "é" * 16}).auth_secret == "é" * 16


@pytest.mark.parametrize("name", ["AUTH_SECRET", "LINK_SECRET"])
def test_a_secret_that_is_no_text_is_said_in_one_line(name: str):
    (line,) = wrong(**{name: os.fsdecode(b"\xff" * 40)})
    assert line.startswith(f"{name} is not UTF-8: ")


def test_only_a_sandbox_goes_without_secrets():
    bare = {name: value for name, value in WHOLE.items() if not name.endswith("SECRET")}
    sandbox = parse_settings({**bare, "SANDBOX": "1"})
    assert len(sandbox.auth_secret) >= 32
    for not_a_sandbox in ("", "0"):
        with pytest.raises(InvalidSettings):
            parse_settings({**bare, "SANDBOX": not_a_sandbox})


@pytest.mark.parametrize("value", ["true", "yes", "2", " 1", "01", "-1", "\u0661"])
def test_a_sandbox_is_1_or_0_and_never_a_guess(value: str):
    assert wrong(SANDBOX=value) == ["SANDBOX must be 0 or 1"]


NO_NUMBERS = ["x", "0", "-1", "+1", "1.5", "1e3", " 1", "1 ", "1_000", "0x10", "\u0661", "9" * 13, "9" * 5_000]


@pytest.mark.parametrize("value", [*NO_NUMBERS, "65536"])
def test_a_port_is_a_number_that_ports_have(value: str):
    assert wrong(PORT=value) == ["PORT must be a whole number from 1 to 65535"]


@pytest.mark.parametrize("field", dataclasses.fields(Policy), ids=lambda field: field.name)
def test_each_policy_can_be_set_by_its_name_to_what_the_service_can_honour(field: dataclasses.Field[int]):
    name, (at_least, at_most) = f"POLICY_{field.name.upper()}", bounds(field)
    shortest_to_longest = {"POLICY_SHORTEST_MEETING_MINUTES": "1", "POLICY_LONGEST_MEETING_MINUTES": "1440"}
    for value in (at_least, at_most):
        settings = parse_settings({**WHOLE, **shortest_to_longest, name: str(value)})
        assert getattr(settings.policy, field.name) == value
    for value in (at_least - 1, at_most + 1):
        assert wrong(**{name: str(value)}) == [f"{name} must be a whole number from {at_least} to {at_most}"]


def bounds(field: dataclasses.Field[int]) -> tuple[int, int]:
    return field.metadata.get("at_least", 1), field.metadata["at_most"]


def test_i1_keys_are_kept_24_hours_or_more():
    assert wrong(POLICY_IDEMPOTENCY_KEYS_KEPT_HOURS="23")


def test_some_length_of_meetings_must_be_allowed():
    (line,) = wrong(POLICY_SHORTEST_MEETING_MINUTES="600")
    assert line == "POLICY_SHORTEST_MEETING_MINUTES must not be more than POLICY_LONGEST_MEETING_MINUTES"


@pytest.mark.parametrize("value", [*NO_NUMBERS, "1000000001"])
def test_a_policy_that_is_no_number_is_said_in_one_line(value: str):
    (line,) = wrong(POLICY_LONGEST_MEETING_MINUTES=value)
    assert line.startswith("POLICY_LONGEST_MEETING_MINUTES must be a whole number from 1 to ")


@pytest.mark.parametrize(
    "name", ["POLICY_", "POLICY_X", "POLICY_LONGEST_MEETING_HOURS", "POLICY_longest_meeting_minutes"]
)
def test_a_policy_nobody_knows_is_said_in_one_line(name: str):
    assert wrong(**{name: "1"}) == [f"{name} is not a policy"]


def test_everything_that_is_wrong_is_said_at_once_a_line_each():
    with pytest.raises(InvalidSettings) as refused:
        parse_settings(
            {"PORT": "x", "PUBLIC_URL": "x", "SANDBOX": "x", "POLICY_X": "1", "POLICY_LONGEST_NAME_CHARACTERS": "x"}
        )
    names = {line.split()[0] for line in str(refused.value).splitlines()}
    assert names == {
        "DATABASE_URL",
        "REDIS_URL",
        "PUBLIC_URL",
        "PORT",
        "SANDBOX",
        "AUTH_SECRET",
        "LINK_SECRET",
        "POLICY_X",
        "POLICY_LONGEST_NAME_CHARACTERS",
    }
    assert len(str(refused.value).splitlines()) == len(names)


def test_settings_that_are_shown_show_no_secret_and_no_password():
    shown = repr(parse_settings({**WHOLE, "REDIS_URL": "redis://:pass%20word@cache.example.com"}))
    assert SECRET not in shown
    assert "pass%20word" not in shown


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start a program of ours with this environment and nothing else."""
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    "command",
    [("models.migrate",), ("uvicorn", "--factory", "app:create_app", "--port", "1"), ("jobs",)],
    ids=["release", "web", "worker"],
)
def test_no_program_starts_without_its_settings_and_says_so_in_plain_lines(command: tuple[str, ...]):
    ended = run(*command)
    assert ended.returncode == 1
    names = [line.split()[0] for line in ended.stderr.splitlines()]
    assert names == ["DATABASE_URL", "REDIS_URL", "AUTH_SECRET", "LINK_SECRET"]
    assert "Traceback" not in ended.stderr


def test_no_secret_and_no_sandbox_refuses_to_start():
    ended = run(
        "uvicorn",
        "--factory",
        "app:create_app",
        "--port",
        "1",
        DATABASE_URL=WHOLE["DATABASE_URL"],
        REDIS_URL=WHOLE["REDIS_URL"],
        SANDBOX="0",
    )
    assert ended.returncode == 1
    assert [line.split()[0] for line in ended.stderr.splitlines()] == ["AUTH_SECRET", "LINK_SECRET"]
