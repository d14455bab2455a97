"""What the log says of an error: where and which, without the values on their way to the database."""

import logging
import re

#: lines that PostgreSQL and its driver add to an error: they hold the row that failed, or the statement
_MORE = re.compile(r"^(DETAIL|CONTEXT|LINE \d+|HINT|STATEMENT|QUERY|PARAMETERS):.*$|^\s*\^\s*$", re.MULTILINE)
_VALUE = re.compile(r"""\([^()\n]*\)=\([^\n]*\)|: "[^"\n]*"$|: '[^'\n]*'$""", re.MULTILINE)
_DATABASE = ("psycopg", "django.db")


class Discreet(logging.Formatter):
    """A formatter that keeps tracebacks and cuts the data out of the database's errors: logs are read by whoever keeps
    the machines, and kept long."""

    def formatException(self, ei: object) -> str:
        return discreet(super().formatException(ei))  # type: ignore[arg-type]


def discreet(text: str) -> str:
    """A traceback without the values in the messages of the database."""
    if not any(name in text for name in _DATABASE):
        return text
    return _VALUE.sub(" (…)", _MORE.sub("…", text))
