"""How the tables are reached: one PostgreSQL, one pool a process."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from asyncpg.connection import Connection

APP = "models"


class PlainConnection(Connection):  # type: ignore[misc]
    """A connection that spends no round trip on being reset: nothing here leaves session state behind."""

    def get_reset_query(self) -> str:
        return ""


def tortoise_config(database_url: str, *, pool_size: int = 10) -> dict[str, Any]:
    """Tortoise's configuration for a postgres:// address."""
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
                    "minsize": 1,
                    "maxsize": pool_size,
                    "connection_class": PlainConnection,
                    **dict(parse_qsl(url.query)),
                },
            }
        },
        "apps": {
            APP: {"models": ["models"], "default_connection": "default", "migrations": "models.migrations"},
        },
        "use_tz": True,
        "timezone": "UTC",
    }


TORTOISE_ORM = tortoise_config("postgres://localhost/nowhere")
"For `tortoise makemigrations`, which compares the models with the migrations and reaches no database."
