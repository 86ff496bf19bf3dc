"""JSON log lines on stderr; an event is named ``noun.verb_past``.

Secrets, headers and bodies are never bound: callers log ids, counts,
reasons and field names.
"""

import logging
import sys
from contextlib import suppress
from typing import Any, TextIO

import msgspec
import structlog

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
Log = structlog.typing.FilteringBoundLogger


class Unfailing:
    """A stream that may be full or gone: a lost line stops no alert."""

    def __init__(self, stream: TextIO) -> None:
        """Take the stream to write to."""
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text, or lose it."""
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what is buffered, or lose it."""
        with suppress(OSError, ValueError):
            self._stream.flush()


def set_up_log(level: str, form: str) -> None:
    """Send our lines and those of the libraries to stderr in one form."""
    stream: Any = Unfailing(sys.stderr)
    structlog.configure(
        processors=[*_shared(), _renderer(form)],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_shared(),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _renderer(form),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=LEVELS[level], force=True)
    for chatty in ("httpx", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def get_log(name: str) -> Log:
    """Return the log of one part of the product."""
    log: Log = structlog.get_logger(part=name)
    return log


def _shared() -> list[structlog.typing.Processor]:
    """Return the steps that every line goes through."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]


def _renderer(form: str) -> structlog.typing.Processor:
    """Return what turns a line into text."""
    if form == "console":
        return _console(colors=sys.stderr.isatty())
    return structlog.processors.JSONRenderer(serializer=_to_json)


def _to_json(line: Any, **_: Any) -> str:
    """Return a line as JSON; control characters leave as escapes."""
    return msgspec.json.encode(line, enc_hook=str).decode()


def _console(*, colors: bool) -> structlog.dev.ConsoleRenderer:
    """Return what writes for people: a crash without its variables.

    They are as long as a batch of alerts, and what is in them is no
    business of a log.
    """
    plain = structlog.dev.plain_traceback
    return structlog.dev.ConsoleRenderer(
        colors=colors, exception_formatter=plain
    )


# Until the settings say more, lines go where they will go: not to stdout,
# which belongs to the answers of commands.
structlog.configure(
    processors=[*_shared(), _console(colors=False)],
    logger_factory=structlog.PrintLoggerFactory(sys.stderr),
)
