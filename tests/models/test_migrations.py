"""Bringing a database up to date."""

import asyncio
import gc
import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from tortoise import Tortoise
from tortoise.migrations import api as tortoise_migrations

from models.database import tortoise_config
from models.migrate import migrate as bring_up_to_date
from tests.conftest import TEMPLATE

ROOT = Path(__file__).parents[2]
MIGRATIONS = sorted(path.stem for path in (ROOT / "models" / "migrations").glob("[0-9]*.py"))

NO_RECORD = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'interrupted'; END $$;
CREATE FUNCTION refuse_records() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity LIKE '%tortoise_migrations') THEN
        CREATE TRIGGER no_record BEFORE INSERT ON tortoise_migrations EXECUTE FUNCTION refuse();
    END IF;
END
$$;
CREATE EVENT TRIGGER no_record ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION refuse_records();
"""
"Fails the moment at which Tortoise records that a migration has been applied."

SHAPE = """
SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || is_nullable AS part
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'reason ' || kind || code || label_en || label_de || place FROM reason
ORDER BY 1
"""


@pytest.fixture(autouse=True)
def rarely_collected() -> Iterator[None]:
    """Tortoise makes all models anew at every step; to go through those of the tests each time took most of it."""
    usual = gc.get_threshold()
    gc.set_threshold(100_000)
    yield
    gc.set_threshold(*usual)


@pytest.fixture
async def fresh(postgres_url: str, worker_id: str) -> AsyncIterator[str]:
    """The address of a new database with nothing in it."""
    async with database(postgres_url, f"fresh_of_{worker_id}") as url:
        yield url


@pytest.fixture
async def migrated(postgres_url: str, worker_id: str) -> AsyncIterator[str]:
    """The address of a new database that is up to date."""
    async with database(postgres_url, f"migrated_of_{worker_id}", template=TEMPLATE) as url:
        yield url


@asynccontextmanager
async def database(postgres_url: str, name: str, *, template: str = "template1") -> AsyncIterator[str]:
    server = await asyncpg.connect(postgres_url)
    await server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))
    await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await server.close()


async def test_every_change_of_the_models_is_in_a_migration(tmp_path: Path):
    assert "No changes detected" in await make_migrations(tmp_path)


async def test_a_change_that_is_in_no_migration_would_be_noticed(tmp_path: Path):
    said = await make_migrations(
        tmp_path, "name = fields.CharField(max_length=200)\n    nickname = fields.TextField(null=True)"
    )
    assert "Created" in said


async def make_migrations(folder: Path, changed: str | None = None) -> str:
    """What `tortoise makemigrations` says of a copy of the models, their first CharField of 200 changed so."""
    for package in ("models", "rules"):
        shutil.copytree(ROOT / package, folder / package)
    for file in ("pyproject.toml", "settings.py", "measuring.py"):
        shutil.copy(ROOT / file, folder)
    if changed:
        people = folder / "models" / "people.py"
        people.write_text(people.read_text().replace("name = fields.CharField(max_length=200)", changed, 1))
    return await run("-m", "tortoise.cli.cli", "makemigrations", folder=folder)


async def test_processes_that_migrate_one_fresh_database_at_once_all_succeed_and_it_is_done_once(fresh: str):
    await asyncio.gather(*(migrate_by_a_process(fresh) for _ in range(3)))
    assert await applied(fresh) == MIGRATIONS
    shape = await rows(fresh, SHAPE)

    history = await rows(fresh, "SELECT * FROM tortoise_migrations ORDER BY id")
    await bring_up_to_date(fresh)
    assert await rows(fresh, SHAPE) == shape
    assert await rows(fresh, "SELECT * FROM tortoise_migrations ORDER BY id") == history, "again does nothing"


async def test_migrations_can_be_undone_and_done_again(migrated: str):
    shape = await rows(migrated, SHAPE)
    await bring_to("0001_initial", migrated, "backward")
    assert await applied(migrated) == ["0001_initial"]
    left = {part.split()[0] for (part,) in await rows(migrated, SHAPE)}
    assert left == {"column", "constraint", "index"}, "no trigger, no function, no reason"
    assert not any("CHECK" in part for (part,) in await rows(migrated, SHAPE))

    await bring_up_to_date(migrated)
    assert await rows(migrated, SHAPE) == shape


async def test_people_from_before_names_were_folded_are_kept_and_found_by_name(fresh: str):
    await bring_to("0003_reason_lists", fresh, "forward")
    connection = await asyncpg.connect(fresh)
    await connection.execute(
        "INSERT INTO person (id, subject, name, is_staff, language, time_zone, is_expert, available, blocked,"
        " feed_head, created_at)"
        " VALUES (gen_random_uuid(), 'uma', 'Uma USER', FALSE, 'EN', 'UTC', FALSE, 5, 0, 7, now())"
    )
    await connection.close()
    await bring_up_to_date(fresh)
    assert await rows(fresh, "SELECT name, folded_name, available FROM person") == [("Uma USER", "uma user", 5)]


async def test_a_migration_that_is_interrupted_at_its_last_moment_can_be_done_again(fresh: str):
    connection = await asyncpg.connect(fresh)
    await connection.execute(NO_RECORD)
    async with asyncio.timeout(30):
        with pytest.raises(AssertionError, match="interrupted"):
            await migrate_by_a_process(fresh)
    await connection.execute("DROP EVENT TRIGGER no_record; DROP FUNCTION refuse_records, refuse CASCADE")
    await connection.close()
    await bring_up_to_date(fresh)
    assert await applied(fresh) == MIGRATIONS


async def bring_to(migration: str, url: str, direction: str) -> None:
    """Make a database what it was after one of the migrations."""
    await tortoise_migrations.migrate(
        config=tortoise_config(url, statement_seconds=None), target=f"models.{migration}", direction=direction
    )
    await Tortoise.close_connections()


async def migrate_by_a_process(url: str) -> None:
    await run("-m", "models.migrate", DATABASE_URL=url)


async def run(*arguments: str, folder: Path = ROOT, **environment: str) -> str:
    """What a Python process says that ends well."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=folder,
        env={**os.environ, "SANDBOX": "1", "REDIS_URL": "redis://nowhere", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


async def applied(url: str) -> list[str]:
    return [name for (name,) in await rows(url, "SELECT name FROM tortoise_migrations ORDER BY id")]


async def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()
