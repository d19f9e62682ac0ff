"""How the tables are reached: one PostgreSQL, one pool a process, and a limit to how long anything takes."""

import ssl
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from asyncpg.connection import Connection

APP = "models"
STATEMENT_SECONDS = 5.0
ACQUIRE_SECONDS = 5.0
# Between two statements of a transaction we wait for nothing but ourselves. Whoever is silent for so long is frozen or
# cut off, and holds locks that others wait for.
IDLE_IN_TRANSACTION_SECONDS = 10.0
# By then PostgreSQL would have said that its own limit was passed, if it were there.
SILENCE_SECONDS = 1.0


class PlainConnection(Connection):  # type: ignore[misc]
    """A connection that spends no round trip on being reset: nothing here leaves session state behind."""

    def get_reset_query(self) -> str:
        return ""


def tortoise_config(
    database_url: str,
    *,
    pool_size: int = 10,
    acquire_seconds: float = ACQUIRE_SECONDS,
    statement_seconds: float | None = STATEMENT_SECONDS,
) -> dict[str, Any]:
    """Tortoise's configuration for a postgres:// address. Without `statement_seconds`, statements take what they take.

    A statement's time includes its wait for locks; so no `lock_timeout` is needed beside it.
    """
    url = urlsplit(database_url)
    return {
        "connections": {
            "default": {
                "engine": "models.transactions",
                "credentials": {
                    "host": url.hostname,
                    "port": url.port or 5432,
                    "user": unquote(url.username or ""),
                    "password": unquote(url.password) if url.password else None,
                    "database": unquote(url.path.removeprefix("/")),
                    "minsize": 0,  # so that making the pool itself waits for nobody
                    "maxsize": pool_size,
                    "connection_class": PlainConnection,
                    "acquire_seconds": acquire_seconds,
                    **_limits(statement_seconds),
                    **_arguments(dict(parse_qsl(url.query))),
                },
            }
        },
        "apps": {
            APP: {"models": ["models"], "default_connection": "default", "migrations": "models.migrations"},
        },
        "use_tz": True,
        "timezone": "UTC",
    }


def _limits(statement_seconds: float | None) -> dict[str, Any]:
    """PostgreSQL's limits, in milliseconds, and ours for when it has fallen silent itself."""
    if statement_seconds is None:
        return {"server_settings": {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}}
    return {
        "server_settings": {
            "statement_timeout": str(round(statement_seconds * 1000)),
            "idle_in_transaction_session_timeout": str(round(IDLE_IN_TRANSACTION_SECONDS * 1000)),
        },
        "command_timeout": statement_seconds + SILENCE_SECONDS,
    }


def _arguments(given: dict[str, str]) -> dict[str, Any]:
    """What libpq's arguments of an address are to asyncpg; `settings.py` has refused those that are not here."""
    found: dict[str, Any] = {}
    if "application_name" in given:
        found["application_name"] = given["application_name"]
    if "connect_timeout" in given:
        found["timeout"] = float(given["connect_timeout"])
        found["acquire_seconds"] = max(ACQUIRE_SECONDS, found["timeout"])  # which may mean to connect first
    if "sslmode" in given:
        found["ssl"] = _tls(given["sslmode"], given.get("sslrootcert"))
    return found


def _tls(mode: str, root: str | None) -> ssl.SSLContext | str:
    """As libpq has it, but that without a root certificate of its own the authorities of this machine are trusted."""
    if mode in ("disable", "allow", "prefer"):
        return mode
    context = ssl.create_default_context(cafile=root)
    context.check_hostname = mode == "verify-full"
    if mode == "require" and root is None:
        context.verify_mode = ssl.CERT_NONE
    return context


TORTOISE_ORM = tortoise_config("postgres://localhost/nowhere")
"For `tortoise makemigrations`, which compares the models with the migrations and reaches no database."
