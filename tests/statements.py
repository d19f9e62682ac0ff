"""What is sent to the database."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Statement = tuple[str, list[Any]]
"The text and its values."


@contextmanager
def statements() -> Iterator[list[Statement]]:
    """The statements that this process sends meanwhile."""
    sent: list[Statement] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            match record.args:
                case (str() as text, list() | tuple() as values):
                    sent.append((text, list(values)))
                case _:
                    sent.append((record.getMessage(), []))

    logger, listener = logging.getLogger("tortoise.db_client"), Listener()
    level, logger.propagate = logger.level, False
    logger.addHandler(listener)
    logger.setLevel(logging.DEBUG)
    try:
        yield sent
    finally:
        logger.setLevel(level)
        logger.propagate = True
        logger.removeHandler(listener)
