"""What the environment says, and what is said to whoever got it wrong: one line for each variable, all at once."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rules.policy import Policy
from settings import InvalidSettings, Settings, parse_settings
from tests.web.key_server import certificate

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
        auth_jwks_url=None,
        auth_issuer=None,
        auth_audience=None,
        jitsi_url="https://meet.jit.si",
        jitsi_app_id=None,
        jitsi_secret=None,
        daily_api_key=None,
        daily_api_url="https://api.daily.co/v1",
        sandbox=False,
        introspection=False,
        allowed_origins=(),
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
            "AUTH_JWKS_URL": "https://issuer.example.com/keys?version=1",
            "AUTH_ISSUER": "https://issuer.example.com/",
            "AUTH_AUDIENCE": "meetings",
            "JITSI_URL": "https://meet.example.com/tenant",
            "JITSI_APP_ID": "expertim",
            "JITSI_SECRET": SECRET,
            "SANDBOX": "1",
            "INTROSPECTION": "0",
            "ALLOWED_ORIGINS": "https://app.example.com, http://localhost:5173,",
            "POLICY_LONGEST_MEETING_MINUTES": "90",
        }
    )
    assert settings.port == 9000
    assert settings.auth_jwks_url == "https://issuer.example.com/keys?version=1"
    assert (settings.auth_issuer, settings.auth_audience) == ("https://issuer.example.com/", "meetings")
    assert (settings.jitsi_url, settings.jitsi_app_id) == ("https://meet.example.com/tenant", "expertim")
    assert settings.jitsi_secret == SECRET
    assert settings.introspection is False
    assert settings.allowed_origins == ("https://app.example.com", "http://localhost:5173")
    assert settings.public_url == "https://meetings.example.com"
    assert settings.sandbox is True
    assert settings.policy == Policy(longest_meeting_minutes=90)


def test_the_public_address_follows_the_port():
    assert parse_settings({**WHOLE, "PORT": "9000"}).public_url == "http://localhost:9000"


def test_an_empty_variable_counts_as_missing():
    optional = ["PORT", "PUBLIC_URL", "SANDBOX", "INTROSPECTION", "ALLOWED_ORIGINS", "POLICY_LONGEST_MEETING_MINUTES"]
    optional += ["AUTH_JWKS_URL", "AUTH_ISSUER", "AUTH_AUDIENCE"]
    optional += ["JITSI_URL", "JITSI_APP_ID", "JITSI_SECRET", "DAILY_API_KEY", "DAILY_API_URL"]
    assert parse_settings({**WHOLE, **dict.fromkeys(optional, "")}) == parse_settings(WHOLE)


def test_variables_of_others_are_none_of_our_business():
    assert parse_settings({**WHOLE, "POLICYX": "x", "MY_POLICY_X": "1", "PATH": "/bin"}) == parse_settings(WHOLE)


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "AUTH_SECRET", "LINK_SECRET"])
@pytest.mark.parametrize("value", [None, ""])
def test_what_is_needed_and_missing_is_said_in_one_line(name: str, value: str | None):
    (line,) = wrong(**{name: value})
    assert line.startswith(f"{name} is missing: ")


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "AUTH_JWKS_URL", "JITSI_URL"])
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
    scheme = {"DATABASE_URL": "postgres", "REDIS_URL": "redis"}.get(name, "https")
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
    assert len(sandbox.auth_secret or "") >= 32
    for not_a_sandbox in ("", "0"):
        with pytest.raises(InvalidSettings):
            parse_settings({**bare, "SANDBOX": not_a_sandbox})


def test_keys_are_fetched_over_https_or_not_at_all():
    assert wrong(AUTH_JWKS_URL="http://issuer.example.com/keys") == ["AUTH_JWKS_URL must look like https://host..."]


def test_a_key_set_stands_in_for_the_secret_of_tokens_and_for_no_other():
    bare = {name: value for name, value in WHOLE.items() if name != "AUTH_SECRET"}
    settings = parse_settings({**bare, "AUTH_JWKS_URL": "https://issuer.example.com/keys"})
    assert settings.auth_secret is None
    (line,) = wrong(AUTH_JWKS_URL="https://issuer.example.com/keys", AUTH_SECRET=None, LINK_SECRET=None)
    assert line.startswith("LINK_SECRET is missing: ")


def test_a_secret_beside_a_key_set_must_be_long_enough_too():
    (line,) = wrong(AUTH_JWKS_URL="https://issuer.example.com/keys", AUTH_SECRET="x" * 31)
    assert line.startswith("AUTH_SECRET is too short: ")


def test_a_sandbox_signs_its_own_tokens_beside_a_key_set():
    bare = {name: value for name, value in WHOLE.items() if name != "AUTH_SECRET"}
    sandbox = parse_settings({**bare, "AUTH_JWKS_URL": "https://issuer.example.com/keys", "SANDBOX": "1"})
    assert sandbox.auth_secret


def test_a_key_for_daily_is_all_that_daily_needs():
    settings = parse_settings({**WHOLE, "DAILY_API_KEY": "a-key"})
    assert (settings.daily_api_key, settings.daily_api_url) == ("a-key", "https://api.daily.co/v1")
    elsewhere = parse_settings({**WHOLE, "DAILY_API_KEY": "a-key", "DAILY_API_URL": "http://localhost:9000/v1"})
    assert elsewhere.daily_api_url == "http://localhost:9000/v1"


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"JITSI_APP_ID": "a"}, "JITSI_SECRET is missing: "),
        ({"JITSI_SECRET": SECRET}, "JITSI_APP_ID is missing: "),
        ({"JITSI_APP_ID": "a", "JITSI_SECRET": "x" * 31}, "JITSI_SECRET is too short: "),
        ({"JITSI_APP_ID": "a", "JITSI_SECRET": os.fsdecode(b"\xff" * 40)}, "JITSI_SECRET is not UTF-8: "),
        ({"JITSI_URL": "https://meet.example.com/?room="}, "JITSI_URL must have no ? "),
        ({"JITSI_URL": "https://meet.example.com/#"}, "JITSI_URL must have no ? "),
        ({"DAILY_API_URL": "https://daily.example.com/v1"}, "DAILY_API_KEY is missing: "),
        ({"DAILY_API_KEY": "a-key", "DAILY_API_URL": "daily.example.com"}, "DAILY_API_URL must look like "),
        ({"DAILY_API_KEY": "a-key", "DAILY_API_URL": "https://daily.example.com?x"}, "DAILY_API_URL must have no ? "),
        ({"DAILY_API_KEY": "a key"}, "DAILY_API_KEY must be one word "),
        ({"DAILY_API_KEY": "a-key\n"}, "DAILY_API_KEY must be one word "),
        ({"DAILY_API_KEY": "schlüssel"}, "DAILY_API_KEY must be one word "),
        ({"DAILY_API_KEY": "a-key", "JITSI_URL": "https://meet.example.com"}, "DAILY_API_KEY can't stand beside "),
        (
            {"DAILY_API_KEY": "a-key", "JITSI_APP_ID": "a", "JITSI_SECRET": SECRET},
            "DAILY_API_KEY can't stand beside ",
        ),
    ],
)
def test_half_a_video_platform_or_two_of_them_are_said_in_one_line_that_repeats_no_secret(
    variables: dict[str, str], said: str
):
    (line,) = wrong(**variables)
    assert line.startswith(said)
    for name in ("JITSI_SECRET", "DAILY_API_KEY"):
        assert variables.get(name, "-never-") not in line


MAIL = {"SMTP_URL": "smtp://expertim:pass%20word@mail.example.com:587?starttls", "MAIL_FROM": "noreply@example.com"}


def test_e_mail_is_kept_unless_a_server_is_named():
    settings = parse_settings(WHOLE)
    assert (settings.smtp_url, settings.mail_from, settings.mail_folder) == (None, "noreply@localhost", ".data/mail")
    named = parse_settings({**WHOLE, **MAIL, "APP_URL": "https://app.example.com"})
    assert (named.smtp_url, named.mail_from, named.app_url) == (*MAIL.values(), "https://app.example.com")
    assert "pass%20word" not in repr(named)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"SMTP_URL": "mail.example.com"}, "SMTP_URL must look like"),
        ({"SMTP_URL": "http://mail.example.com"}, "SMTP_URL must look like"),
        ({"SMTP_URL": "smtp://mail.example.com/path"}, "SMTP_URL may have nothing behind"),
        ({"SMTP_URL": "smtp://mail.example.com?starttls=1"}, "SMTP_URL may have nothing behind"),
        ({"SMTP_URL": "smtp://mail.example.com#x"}, "SMTP_URL may have nothing behind"),
        ({"SMTP_URL": "smtps://mail.example.com?starttls"}, "SMTP_URL can't have ?starttls"),
        ({"SMTP_URL": "smtp://expertim:word@mail.example.com"}, "SMTP_URL has a user"),
        ({"SMTP_URL": "smtps://expertim@mail.example.com"}, "SMTP_URL must have both"),
        ({"SMTP_URL": "smtps://:word@mail.example.com"}, "SMTP_URL must have both"),
        ({"MAIL_FROM": ""}, "MAIL_FROM is missing"),
        ({"MAIL_FROM": "Expertim <noreply@example.com>"}, "MAIL_FROM must be an address"),
        ({"MAIL_FROM": "noreply@example.com\r\nBcc: x@example.com"}, "MAIL_FROM must be an address"),
        ({"PUBLIC_URL": "https://bücher.example"}, "PUBLIC_URL must be ASCII"),
        ({"APP_URL": "app.example.com"}, "APP_URL must look like"),
        ({"APP_URL": "https://app.example.com/#/"}, "APP_URL must have no ?"),
    ],
)
def test_a_way_out_for_e_mail_that_is_none_is_said_in_one_line_that_repeats_no_password(
    changed: dict[str, str], said: str
):
    (line,) = wrong(**{**MAIL, **changed})
    assert line.startswith(said)
    assert "word" not in line.replace("password", "")


@pytest.mark.parametrize("name", ["SANDBOX", "INTROSPECTION"])
@pytest.mark.parametrize("value", ["true", "yes", "2", " 1", "01", "-1", "\u0661"])
def test_what_is_on_or_off_is_1_or_0_and_never_a_guess(name: str, value: str):
    assert wrong(**{name: value}) == [f"{name} must be 0 or 1"]


@pytest.mark.parametrize(
    ("sandbox", "introspection", "told"),
    [("", "", False), ("1", "", True), ("0", "1", True), ("1", "0", False), ("1", "1", True)],
)
def test_the_schema_is_told_in_a_sandbox_unless_it_is_said_otherwise(sandbox: str, introspection: str, told: bool):
    assert parse_settings({**WHOLE, "SANDBOX": sandbox, "INTROSPECTION": introspection}).introspection is told


@pytest.mark.parametrize(
    "origins",
    [
        ("https://app.example.com",),
        ("http://localhost:5173", "https://app.example.com:8443"),
        ("https://[::1]:8443", "http://127.0.0.1"),
        ("https://xn--bcher-kva.example",),
    ],
)
@pytest.mark.parametrize("comma", [",", " , ", ",,"])
def test_origins_are_taken_as_browsers_write_them(origins: tuple[str, ...], comma: str):
    assert parse_settings({**WHOLE, "ALLOWED_ORIGINS": comma.join(origins)}).allowed_origins == origins


@pytest.mark.parametrize(
    "value",
    [
        "*",
        "null",
        "app.example.com",
        "https://*.example.com",
        "https://app.example.com/",
        "https://app.example.com/x",
        "https://app.example.com?",
        "https://app.example.com#",
        "https://app.example.com:",
        "https://app.example.com:443",
        "http://app.example.com:80",
        "https://app.example.com:08443",
        "https://somebody@app.example.com",
        "https://App.example.com",
        "HTTPS://app.example.com",
        "https://b\u00fccher.example",
        "https://app.example.com https://other.example.com",
        "https://app.example.com;https://other.example.com",
        "ws://app.example.com",
        "file://app.example.com",
        "https://",
        "https://app.example.com:99999",
    ],
)
def test_what_no_browser_would_ever_call_an_origin_is_said_in_one_line(value: str):
    expected = ["ALLOWED_ORIGINS must be origins like https://app.example.com, separated by commas"]
    assert wrong(ALLOWED_ORIGINS=value) == expected
    assert wrong(ALLOWED_ORIGINS=f"https://app.example.com,{value}") == expected


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "?",
        "?sslmode=disable",
        "?sslmode=require&application_name=meetings&connect_timeout=10",
        "?sslmode=verify-full",
        "?sslmode=verify-ca&sslrootcert={certificates}",
    ],
)
def test_a_database_address_may_have_the_arguments_people_have(arguments: str, certificates: Path):
    url = WHOLE["DATABASE_URL"] + arguments.format(certificates=certificates)
    assert parse_settings({**WHOLE, "DATABASE_URL": url}).database_url == url


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    return certificate(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("channel_binding=require", "may have the arguments sslmode, sslrootcert, application_name, connect_timeout"),
        ("sslmode=require&pool_size=5", "may have the arguments"),
        ("maxsize=500", "may have the arguments"),
        ("password=a%20secret", "may have the arguments"),
        ("sslmode=", "has an sslmode that is none of disable, allow, prefer, require, verify-ca, verify-full"),
        ("sslmode=true", "has an sslmode that is none of"),
        ("sslmode=require&sslrootcert=/nowhere.pem", "has an sslrootcert that can't be read"),
        ("sslmode=require&sslrootcert=settings.py", "has an sslrootcert that can't be read"),
        ("sslmode=require&sslrootcert=", "has an sslrootcert that can't be read"),
        ("sslmode=require&sslrootcert=a%00b", "has an sslrootcert that can't be read"),
        ("sslrootcert=/nowhere.pem", "has an sslrootcert, which nobody looks at unless sslmode is one of require,"),
        ("sslmode=prefer&sslrootcert=/nowhere.pem", "has an sslrootcert, which nobody looks at"),
        ("connect_timeout=", "has a connect_timeout that is no whole number from 1 to 600"),
        ("connect_timeout=0", "has a connect_timeout that is no whole number"),
        ("connect_timeout=1.5", "has a connect_timeout that is no whole number"),
    ],
)
def test_arguments_of_a_database_address_that_nobody_understands_are_said_in_one_line(arguments: str, said: str):
    (line,) = wrong(DATABASE_URL=f"{WHOLE['DATABASE_URL']}?{arguments}")
    assert line.startswith(f"DATABASE_URL {said}")
    assert "word" not in line
    assert "secret" not in line


NO_NUMBERS = ["x", "0", "-1", "+1", "1.5", "1e3", " 1", "1 ", "1_000", "0x10", "\u0661", "9" * 13, "9" * 5_000]


@pytest.mark.parametrize("value", [*NO_NUMBERS, "65536"])
def test_a_port_is_a_number_that_ports_have(value: str):
    assert wrong(PORT=value) == ["PORT must be a whole number from 1 to 65535"]


@pytest.mark.parametrize("value", ["0", "-1", "65", "two", "1.5"])
def test_there_are_so_many_web_processes_or_it_is_said_in_one_line(value: str):
    assert wrong(WEB_CONCURRENCY=value) == ["WEB_CONCURRENCY must be a whole number from 1 to 64"]


def test_the_workers_figures_are_told_to_nobody_without_a_token():
    (line,) = wrong(METRICS_PORT="9100")
    assert line.startswith("METRICS_TOKEN is missing: ")
    told = parse_settings({**WHOLE, "METRICS_PORT": "9100", "METRICS_TOKEN": SECRET, "WEB_CONCURRENCY": "3"})
    assert (told.metrics_port, told.web_concurrency) == (9100, 3)


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
    shown += repr(parse_settings({**WHOLE, "JITSI_APP_ID": "a", "JITSI_SECRET": SECRET}))
    shown += repr(parse_settings({**WHOLE, "DAILY_API_KEY": "a-key"}))
    assert SECRET not in shown
    assert "a-key" not in shown
    assert "pass%20word" not in shown


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start a program of ours with this environment and nothing else."""
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    "command",
    [("models.migrate",), ("web", "--factory", "app:create_app", "--port", "1"), ("jobs",)],
    ids=["release", "web", "worker"],
)
@pytest.mark.parametrize("processes", ["", "2"])
def test_no_program_starts_without_its_settings_and_says_so_in_plain_lines(command: tuple[str, ...], processes: str):
    ended = run(*command, WEB_CONCURRENCY=processes)
    assert ended.returncode == 1
    names = [line.split()[0] for line in ended.stderr.splitlines()]
    assert names == ["DATABASE_URL", "REDIS_URL", "AUTH_SECRET", "LINK_SECRET"]
    assert "Traceback" not in ended.stderr


def test_no_secret_and_no_sandbox_refuses_to_start():
    ended = run(
        "web",
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
