"""What the service writes: one JSON line for each event, on stderr. No bodies, no addresses of people, no queries.

The server's own lines, and those of libraries, come in the same form. The line of a request is written by the application.
"""

from __future__ import annotations

import json
import logging
import logging.config
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog


class JsonLines(logging.Formatter):
    """A record of Python's own logging as our line. An exception is named, with its places and without its text."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"event": record.getMessage(), "logger": record.name.lstrip("_"), "level": record.levelname.lower()}
        if record.exc_info and record.exc_info[0]:
            line["kind"] = record.exc_info[0].__name__
            line["places"] = "".join(traceback.format_tb(record.exc_info[2]))
        line["timestamp"] = datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")
        return json.dumps(line)


class News(logging.Filter):
    """Leaves out what is meant so: the server wonders about its many threads; most of them wait for bodies."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith("Configuration allows spawning")


SERVER_LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"news": {"()": News}},
    "formatters": {"lines": {"()": JsonLines}},
    "handlers": {
        "lines": {
            "class": "logging.StreamHandler",
            "formatter": "lines",
            "stream": "ext://sys.stderr",
            "filters": ["news"],
        }
    },
    "root": {"handlers": ["lines"], "level": "WARNING"},
    "loggers": {"_granian": {"handlers": ["lines"], "level": "WARNING", "propagate": False}},
}


def configure_logging() -> None:
    """Let this process write JSON lines."""
    logging.config.dictConfig(SERVER_LOGGING)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=_line),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.BytesLoggerFactory(file=sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )


def _line(event: dict[str, Any], default: Callable[[Any], Any]) -> bytes:
    """An event as JSON in ASCII: what others sent cannot turn or hide what stands in a terminal."""
    raw = orjson.dumps(event, default=default)
    return raw if raw.isascii() else json.dumps(event, default=default).encode()
