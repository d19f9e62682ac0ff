"""The environment, read once into typed names. Whatever is wrong or missing is said in one line each."""

import dataclasses
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from rules.policy import Policy

SHORTEST_SECRET_BYTES = 32

# A sandbox hands a token for anybody to anybody, so its secrets keep nothing secret.
SANDBOX_SECRET = "the sandbox gives everybody every token"


class InvalidSettings(Exception):
    """Settings that the service can't start with; one line for each."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says."""

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    port: int = 8000
    public_url: str = "http://localhost:8000"
    auth_secret: str = field(default=SANDBOX_SECRET, repr=False)
    "Signs the bearer tokens (HS256)."
    link_secret: str = field(default=SANDBOX_SECRET, repr=False)
    "Signs the personal links to meetings (L1)."
    sandbox: bool = False
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
            wrong.append(f"{name} {fault}: a random string of at least {SHORTEST_SECRET_BYTES} bytes (or SANDBOX=1)")
        return value

    sandbox = _flag(environment, "SANDBOX", wrong)
    port = _number(environment, "PORT", 8000, wrong, at_most=65535)
    settings = Settings(
        database_url=url("DATABASE_URL", ("postgres", "postgresql")),
        redis_url=url("REDIS_URL", ("redis", "rediss")),
        port=port,
        public_url=url("PUBLIC_URL", ("https", "http"), f"http://localhost:{port}"),
        auth_secret=secret("AUTH_SECRET"),
        link_secret=secret("LINK_SECRET"),
        sandbox=sandbox,
        policy=_policy(environment, wrong),
    )
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


def _flag(environment: Mapping[str, str], name: str, wrong: list[str]) -> bool:
    value = environment.get(name, "") or "0"
    if value not in ("0", "1"):
        wrong.append(f"{name} must be 0 or 1")
    return value == "1"


def _number(
    environment: Mapping[str, str], name: str, default: int, wrong: list[str], *, at_least: int = 1, at_most: int
) -> int:
    value = environment.get(name, "") or str(default)
    if not (value.isascii() and value.isdigit()) or len(value) > 12 or not at_least <= int(value) <= at_most:
        wrong.append(f"{name} must be a whole number from {at_least} to {at_most}")
        return default
    return int(value)


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
