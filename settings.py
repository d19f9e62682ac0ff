"""The environment, read once into typed names. Whatever is wrong or missing is said in one line each."""

import dataclasses
import os
import re
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from rules.policy import Policy

SHORTEST_SECRET_BYTES = 32
MOST_WEB_PROCESSES = 64

# A sandbox hands a token for anybody to anybody, so its secrets keep nothing secret.
SANDBOX_SECRET = "the sandbox gives everybody every token"

DEFAULT_JITSI_URL = "https://meet.jit.si"
DEFAULT_DAILY_API_URL = "https://api.daily.co/v1"

# libpq's, as far as they are understood (models/database.py).
TLS_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
DATABASE_ARGUMENTS = ("sslmode", "sslrootcert", "application_name", "connect_timeout")
LONGEST_CONNECT_TIMEOUT_SECONDS = 600

ORIGIN = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?")
MAIL_ADDRESS = re.compile(r"[A-Za-z0-9._%+=-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
DEFAULT_PORTS = {"http": 80, "https": 443}


class InvalidSettings(Exception):
    """Settings that the service can't start with; one line for each."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says."""

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    port: int = 8000
    public_url: str = "http://localhost:8000"
    auth_secret: str | None = field(default=SANDBOX_SECRET, repr=False)
    "Signs the bearer tokens (HS256), if there is one."
    auth_jwks_url: str | None = None
    "The key set of whoever else signs them, with keys of their own."
    auth_issuer: str | None = None
    "Whom `iss` must name."
    auth_audience: str | None = None
    "Whom `aud` must name, alone or among others."
    link_secret: str = field(default=SANDBOX_SECRET, repr=False)
    "Signs the personal links to meetings (L1)."
    jitsi_url: str = DEFAULT_JITSI_URL
    "Where meetings are held, unless on Daily (L4)."
    jitsi_app_id: str | None = None
    jitsi_secret: str | None = field(default=None, repr=False)
    "Signs people's way in to Jitsi; without it, whoever knows a room's name may go in."
    daily_api_key: str | None = field(default=None, repr=False)
    "Holds the meetings on Daily."
    daily_api_url: str = DEFAULT_DAILY_API_URL
    smtp_url: str | None = field(default=None, repr=False)
    "The server that takes e-mail for everybody; without one it is kept in `mail_folder`."
    mail_from: str = "noreply@localhost"
    "Whom e-mails come from."
    mail_folder: str = ".data/mail"
    app_url: str | None = None
    "Where people manage their meetings, if not at the public address: what e-mails lead to."
    sandbox: bool = False
    metrics_token: str | None = field(default=None, repr=False)
    "Who may read the metrics says this; without it nobody can."
    sockets_per_person: int = 100
    "How many one person may have open in one process; in a sandbox, where one may try many clients, 10,000."
    metrics_port: int | None = None
    "Where the worker tells its own figures, if anywhere."
    web_concurrency: int = 1
    "How many web processes share the port."
    introspection: bool = False
    "Whether clients may ask for the schema itself, and are told what they may have meant."
    allowed_origins: tuple[str, ...] = ()
    "The web pages, by origin (`https://app.example.com`), that may open sockets and read answers in a browser."
    policy: Policy = field(default_factory=Policy)


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings, or the end of the process with a line for each that is wrong."""
    try:
        return parse_settings(environment)
    except InvalidSettings as wrong:
        sys.exit(str(wrong))


def parse_settings(environment: Mapping[str, str]) -> Settings:
    """The settings in these variables; raises InvalidSettings."""
    wrong: list[str] = []

    def url(name: str, schemes: tuple[str, ...], default: str = "") -> str:
        value = environment.get(name, "") or default
        if not value:
            wrong.append(f"{name} is missing: the address of a server, {schemes[0]}://...")
        elif not _is_address(value, schemes):
            wrong.append(f"{name} must look like {schemes[0]}://host...")
        return value

    def secret(name: str) -> str:
        value = environment.get(name, "")
        if not value and sandbox:
            return SANDBOX_SECRET
        if fault := _fault_of_secret(value):
            instead = "AUTH_JWKS_URL, or SANDBOX=1" if name == "AUTH_SECRET" else "SANDBOX=1"
            wrong.append(f"{name} {fault}: a random string of at least {SHORTEST_SECRET_BYTES} bytes (or {instead})")
        return value

    sandbox = _flag(environment, "SANDBOX", wrong)
    port = _number(environment, "PORT", 8000, wrong, at_most=65535)
    has_key_set = bool(environment.get("AUTH_JWKS_URL"))
    needs_secret = sandbox or not has_key_set or bool(environment.get("AUTH_SECRET"))
    settings = Settings(
        database_url=url("DATABASE_URL", ("postgres", "postgresql")),
        redis_url=url("REDIS_URL", ("redis", "rediss")),
        port=port,
        public_url=url("PUBLIC_URL", ("https", "http"), f"http://localhost:{port}"),
        auth_secret=secret("AUTH_SECRET") if needs_secret else None,
        auth_jwks_url=url("AUTH_JWKS_URL", ("https",)) if has_key_set else None,
        auth_issuer=environment.get("AUTH_ISSUER") or None,
        auth_audience=environment.get("AUTH_AUDIENCE") or None,
        link_secret=secret("LINK_SECRET"),
        jitsi_url=url("JITSI_URL", ("https", "http"), DEFAULT_JITSI_URL),
        jitsi_app_id=environment.get("JITSI_APP_ID") or None,
        jitsi_secret=environment.get("JITSI_SECRET") or None,
        daily_api_key=environment.get("DAILY_API_KEY") or None,
        daily_api_url=url("DAILY_API_URL", ("https", "http"), DEFAULT_DAILY_API_URL),
        smtp_url=url("SMTP_URL", ("smtps", "smtp")) if environment.get("SMTP_URL") else None,
        mail_from=environment.get("MAIL_FROM") or "noreply@localhost",
        app_url=url("APP_URL", ("https", "http")) if environment.get("APP_URL") else None,
        sandbox=sandbox,
        metrics_token=environment.get("METRICS_TOKEN") or None,
        sockets_per_person=_number(
            environment, "SOCKETS_PER_PERSON", 10_000 if sandbox else 100, wrong, at_most=1_000_000
        ),
        metrics_port=_number(environment, "METRICS_PORT", 0, wrong, at_least=0, at_most=65535) or None,
        web_concurrency=_number(environment, "WEB_CONCURRENCY", 1, wrong, at_most=MOST_WEB_PROCESSES),
        introspection=_flag(environment, "INTROSPECTION", wrong, default=sandbox),
        allowed_origins=_origins(environment, wrong),
        policy=_policy(environment, wrong),
    )
    if fault := _fault_of_database_arguments(settings.database_url):
        wrong.append(f"DATABASE_URL {fault}")
    wrong += _faults_of_platform(settings)
    if settings.metrics_token and (fault := _fault_of_secret(settings.metrics_token)):
        wrong.append(f"METRICS_TOKEN {fault}: a random string of at least {SHORTEST_SECRET_BYTES} bytes")
    if settings.metrics_port and not settings.metrics_token:
        wrong.append("METRICS_TOKEN is missing: who may read the figures at METRICS_PORT")
    wrong += _faults_of_mail(settings, environment)
    if wrong:
        raise InvalidSettings("\n".join(wrong))
    return settings


def _is_address(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        readable = value.isprintable() and " " not in value
        return readable and parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of an address in brackets, or of the port
        return False


def _fault_of_secret(value: str) -> str | None:
    if not value:
        return "is missing"
    try:
        return "is too short" if len(value.encode()) < SHORTEST_SECRET_BYTES else None
    except UnicodeEncodeError:
        return "is not UTF-8"


def _faults_of_platform(settings: Settings) -> list[str]:
    """What is wrong with where meetings are held; a key or a secret is not repeated."""
    faults = []
    for name, url in (("JITSI_URL", settings.jitsi_url), ("DAILY_API_URL", settings.daily_api_url)):
        if "?" in url or "#" in url:
            faults.append(f"{name} must have no ? and no #: the names of rooms follow it")
    if settings.jitsi_secret and not settings.jitsi_app_id:
        faults.append("JITSI_APP_ID is missing: whom Jitsi expects to sign with JITSI_SECRET")
    if settings.jitsi_app_id and not settings.jitsi_secret:
        faults.append("JITSI_SECRET is missing: what JITSI_APP_ID signs with")
    elif settings.jitsi_secret and (fault := _fault_of_secret(settings.jitsi_secret)):
        faults.append(f"JITSI_SECRET {fault}: a random string of at least {SHORTEST_SECRET_BYTES} bytes")
    key = settings.daily_api_key
    if key and not (key.isascii() and key.isprintable() and " " not in key):
        faults.append("DAILY_API_KEY must be one word of ASCII characters")
    if key and (settings.jitsi_app_id or settings.jitsi_secret or settings.jitsi_url != DEFAULT_JITSI_URL):
        faults.append(
            "DAILY_API_KEY can't stand beside JITSI_URL, JITSI_APP_ID or JITSI_SECRET: one platform or the other"
        )
    if not key and settings.daily_api_url != DEFAULT_DAILY_API_URL:
        faults.append("DAILY_API_KEY is missing: what DAILY_API_URL is asked with")
    return faults


def _faults_of_mail(settings: Settings, environment: Mapping[str, str]) -> list[str]:
    """What is wrong with how e-mail goes out; a password is not repeated."""
    faults = []
    if not MAIL_ADDRESS.fullmatch(settings.mail_from):
        faults.append("MAIL_FROM must be an address like noreply@example.com, and nothing else")
    if settings.app_url and ("?" in settings.app_url or "#" in settings.app_url):
        faults.append("APP_URL must have no ? and no #: the paths of pages follow it")
    if settings.public_url.isprintable() and not settings.public_url.isascii():
        faults.append("PUBLIC_URL must be ASCII, another host as xn--...: it stands in the headers of e-mails")
    if settings.smtp_url is None:
        return faults
    if not environment.get("MAIL_FROM"):
        faults.append("MAIL_FROM is missing: whom the e-mails come from that SMTP_URL takes")
    if not _is_address(settings.smtp_url, ("smtps", "smtp")):
        return faults
    url = urlsplit(settings.smtp_url)
    if url.path not in ("", "/") or url.fragment or url.query not in ("", "starttls"):
        faults.append("SMTP_URL may have nothing behind its host and port but ?starttls")
    elif url.query and url.scheme == "smtps":
        faults.append("SMTP_URL can't have ?starttls beside smtps://, where TLS is there from the start")
    if url.username and not url.query and url.scheme == "smtp":
        faults.append("SMTP_URL has a user, whose password needs smtps:// or ?starttls")
    if bool(url.username) != bool(url.password):
        faults.append("SMTP_URL must have both a user and a password, or neither")
    return faults


def _flag(environment: Mapping[str, str], name: str, wrong: list[str], *, default: bool = False) -> bool:
    value = environment.get(name, "") or str(int(default))
    if value not in ("0", "1"):
        wrong.append(f"{name} must be 0 or 1")
    return value == "1"


def _origins(environment: Mapping[str, str], wrong: list[str]) -> tuple[str, ...]:
    """Origins, separated by commas, as browsers write them: lower case, no path, no default port."""
    origins = tuple(filter(None, (each.strip() for each in environment.get("ALLOWED_ORIGINS", "").split(","))))
    if not all(_is_origin(each) for each in origins):
        wrong.append("ALLOWED_ORIGINS must be origins like https://app.example.com, separated by commas")
    return origins


def _is_origin(value: str) -> bool:
    if not ORIGIN.fullmatch(value) or not _is_address(value, ("https", "http")):
        return False
    parts = urlsplit(value)
    return parts.port != DEFAULT_PORTS[parts.scheme]


def _fault_of_database_arguments(url: str) -> str | None:
    """What is wrong with what follows the question mark; the address itself, with its password, is not repeated."""
    given = dict(parse_qsl(url.partition("?")[2], keep_blank_values=True))
    mode, root, seconds = (given.get(name) for name in ("sslmode", "sslrootcert", "connect_timeout"))
    if not given.keys() <= set(DATABASE_ARGUMENTS):
        return f"may have the arguments {', '.join(DATABASE_ARGUMENTS)}, and no others"
    if mode is not None and mode not in TLS_MODES:
        return f"has an sslmode that is none of {', '.join(TLS_MODES)}"
    if root is not None and mode not in TLS_MODES[3:]:
        return f"has an sslrootcert, which nobody looks at unless sslmode is one of {', '.join(TLS_MODES[3:])}"
    if root is not None and not (root and _is_certificate(root)):
        return "has an sslrootcert that can't be read"
    if seconds is not None and not _is_number(seconds, at_least=1, at_most=LONGEST_CONNECT_TIMEOUT_SECONDS):
        return f"has a connect_timeout that is no whole number from 1 to {LONGEST_CONNECT_TIMEOUT_SECONDS}"
    return None


def _is_certificate(path: str) -> bool:
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ValueError):  # no such file, or nothing in it that is one
        return False
    return True


def _number(
    environment: Mapping[str, str], name: str, default: int, wrong: list[str], *, at_least: int = 1, at_most: int
) -> int:
    value = environment.get(name, "") or str(default)
    if not _is_number(value, at_least=at_least, at_most=at_most):
        wrong.append(f"{name} must be a whole number from {at_least} to {at_most}")
        return default
    return int(value)


def _is_number(value: str, *, at_least: int, at_most: int) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= 12 and at_least <= int(value) <= at_most


def _policy(environment: Mapping[str, str], wrong: list[str]) -> Policy:
    fields = {f"POLICY_{each.name.upper()}": each for each in dataclasses.fields(Policy)}
    wrong += [f"{name} is not a policy" for name in environment if name.startswith("POLICY_") and name not in fields]
    policy = Policy(
        **{
            each.name: _number(environment, name, getattr(Policy(), each.name), wrong, **each.metadata)
            for name, each in fields.items()
        }
    )
    if policy.shortest_meeting_minutes > policy.longest_meeting_minutes:
        wrong.append("POLICY_SHORTEST_MEETING_MINUTES must not be more than POLICY_LONGEST_MEETING_MINUTES")
    return policy
