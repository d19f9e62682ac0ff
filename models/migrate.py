"""`python -m models.migrate`: bring the database's tables up to date. Safe to run from several processes at once."""

import asyncio
import sys

import asyncpg
from tortoise import Tortoise
from tortoise.migrations.api import migrate as tortoise_migrate

from models.database import tortoise_config
from settings import read_settings

# The only advisory lock there is: Tortoise's migrations take none. Any number will do, as long as it stays.
MIGRATION_LOCK = 7_046_001


async def migrate(database_url: str) -> None:
    """Apply what has not been applied; others who ask meanwhile wait and then find nothing to do."""
    guard = await asyncpg.connect(database_url)
    try:
        await guard.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
        await tortoise_migrate(config=tortoise_config(database_url))
    finally:
        await Tortoise.close_connections()
        await guard.close()


if __name__ == "__main__":
    asyncio.run(migrate(read_settings().database_url))
    sys.stdout.write("migrated\n")
