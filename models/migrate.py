"""`python -m models.migrate`: bring the database's tables up to date. Safe to run from several processes at once."""

import asyncio
import sys

from tortoise import Tortoise
from tortoise.connection import get_connection
from tortoise.migrations.executor import MigrationExecutor
from tortoise.migrations.schema_editor import AsyncpgSchemaEditor

from models.database import tortoise_config
from models.transactions import transaction
from settings import read_settings

# The only advisory lock there is: Tortoise's migrations take none. Any number will do, as long as it stays.
MIGRATION_LOCK = 7_046_001


async def migrate(database_url: str) -> None:
    """Apply what has not been applied, all or nothing; others who ask meanwhile wait and then find nothing to do."""
    config = tortoise_config(database_url, statement_seconds=None)
    await Tortoise.init(config=config)
    try:
        # One transaction for all of it: Tortoise alone would record a migration after the one that applied it, and
        # whoever is killed in between would leave a database that can't be migrated any more.
        async with transaction():
            connection = get_connection("default")
            await connection.execute_query("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK])
            executor = MigrationExecutor(connection, config["apps"])
            # Tortoise looks into its table before it makes it, which no transaction survives.
            await executor.recorder.ensure_schema(AsyncpgSchemaEditor(connection, atomic=False))
            await executor.migrate()
    finally:
        await Tortoise.close_connections()


if __name__ == "__main__":
    asyncio.run(migrate(read_settings().database_url))
    sys.stdout.write("migrated\n")
