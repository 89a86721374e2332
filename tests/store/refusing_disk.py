"""A disk that refuses: a connection that fails at the n-th statement of a kind, as SQLite would report it."""

import sqlite3


class RefusingConnection(sqlite3.Connection):
    """While `refuse` is set, statements that begin with `at` raise; `count` delays it by so many of them."""

    refuse: str | None = None
    at = "COMMIT"
    after = 0
    code = sqlite3.SQLITE_FULL

    def execute(self, sql: str, *args: object) -> sqlite3.Cursor:  # type: ignore[override]
        kind = type(self)
        if kind.refuse is not None and sql.startswith(kind.at):
            if kind.after <= 0:
                error = sqlite3.OperationalError(kind.refuse)
                error.sqlite_errorcode = kind.code  # type: ignore[misc]
                raise error
            kind.after -= 1
        return super().execute(sql, *args)  # type: ignore[arg-type]


def refusing() -> type[RefusingConnection]:
    """A class of its own for one test."""
    return type("Refusing", (RefusingConnection,), {})
