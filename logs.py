"""How the service logs: structured lines, JSON in production, each with the correlation id of its request."""

import logging
import re
import sys

import structlog

LINK = re.compile(r"/(join|calendar|unsubscribe)/[^\s?\"]*(\?\S*)?")


def configure_logs(*, for_people: bool) -> None:
    """Log lines for people to read, or JSON for machines."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render: list[structlog.types.Processor] = (
        [
            structlog.dev.ConsoleRenderer(
                colors=sys.stdout.isatty(),
                # rich, which it prefers, would print the variables too.
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
        if for_people
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(processors=[*shared, *render], cache_logger_on_first_use=False)
    # What libraries log goes the same way.
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render]
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("uvicorn.error").addFilter(_of_us)
    logging.getLogger("uvicorn.access").addFilter(_without_links)


def _of_us(record: logging.LogRecord) -> bool:
    """Whoever sends broken UTF-8 over a socket is closed with 1007; uvicorn would log a traceback each time."""
    return not record.getMessage().startswith("Invalid UTF-8 sequence")


def _without_links(record: logging.LogRecord) -> bool:
    """Whoever has a link may do what it is for, so what uvicorn says of one does not have it (L1)."""
    if isinstance(record.args, tuple):
        record.args = tuple(LINK.sub(r"/\1/...", each) if isinstance(each, str) else each for each in record.args)
    return True
