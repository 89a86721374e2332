"""Tables that grow: rows by name, our own and those of other installed packages.

A package adds a row through an entry point of the group `segstudio.TABLE` (for example `segstudio.formats`) with the
row's name. Entry points are looked up when a table is first asked for something that it does not hold itself. A row
that cannot be loaded, is of another kind, or takes a name already in use is left out and reported once (`unsaid`).
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, NamedTuple, TypeVar

from segstudio.text import _

__all__ = ["BrokenRow", "Registry", "broken_rows", "named", "note_broken", "unsaid"]

Row = TypeVar("Row")


class BrokenRow(NamedTuple):
    """A row of another package that was left out: its table and name, the package, and why."""

    table: str
    name: str
    package: str
    reason: str

    @property
    def sentence(self) -> str:
        """The sentence for people."""
        return _(
            "'{name}' of the package {package} was left out of SegStudio's {table}: {reason}.",
            name=self.name,
            package=self.package,
            table=self.table,
            reason=self.reason,
        )


_broken: list[BrokenRow] = []
_said = 0
_lock = threading.Lock()


def broken_rows() -> tuple[BrokenRow, ...]:
    """Every row that was left out so far."""
    with _lock:
        return tuple(_broken)


def note_broken(row: BrokenRow) -> None:
    """Note a row that another process of this program has left out; one that is known already is not noted again."""
    with _lock:
        if row not in _broken:
            _broken.append(row)


def unsaid() -> tuple[BrokenRow, ...]:
    """The rows that were left out since the last call: each is returned once, to be reported."""
    global _said
    with _lock:
        new = tuple(_broken[_said:])
        _said = len(_broken)
        return new


def named(kind: type) -> Callable[[str, object], str]:
    """For tables of values with a `name`: why an object cannot be a row, '' if it can."""

    def refusal(name: str, row: object) -> str:
        if not isinstance(row, kind):
            return _("it is not of the type {kind}", kind=kind.__name__)
        own = getattr(row, "name", name)
        return "" if own == name else _("its own name is '{name}'", name=own)

    return refusal


class Registry(Mapping[str, Row], Generic[Row]):
    """A table: `rows` by name in their order, then those of other packages. Any thread may ask.

    `accepts` says why an object cannot be a row of this table, '' if it can.
    """

    def __init__(self, name: str, rows: Mapping[str, Row], accepts: Callable[[str, object], str]) -> None:
        self.name = name
        self._own = dict(rows)
        self._accepts = accepts
        self._all: dict[str, Row] | None = None
        self._loading = threading.RLock()

    def __getitem__(self, name: str) -> Row:
        """The row of this name. Raises KeyError if there is none."""
        found = self._own.get(name)
        return self._loaded()[name] if found is None else found

    def __contains__(self, name: object) -> bool:
        return name in self._own or name in self._loaded()

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaded())

    def __len__(self) -> int:
        return len(self._loaded())

    @property
    def own(self) -> tuple[Row, ...]:
        """Our own rows in their order, without looking at other packages, which takes some 50 ms the first time."""
        return tuple(self._own.values())

    @property
    def rows(self) -> tuple[Row, ...]:
        """Every row in its order."""
        return tuple(self._loaded().values())

    def _loaded(self) -> dict[str, Row]:
        with self._loading:
            if self._all is None:
                # Set before anything is loaded, because a package may look into the table while it is imported.
                self._all = dict(self._own)
                self._load(self._all)
            return self._all

    def _load(self, into: dict[str, Row]) -> None:
        from importlib.metadata import entry_points

        for point in entry_points(group=f"segstudio.{self.name}"):
            try:
                row = point.load()
                reason = (
                    _("there is one of that name already") if point.name in into else self._accepts(point.name, row)
                )
                if not reason:
                    into[point.name] = row
            except Exception as error:  # noqa: BLE001  another package's code may raise anything
                reason = f"{type(error).__name__}: {error}"
            if reason:
                package = point.dist.name if point.dist is not None else _("of unknown name")
                with _lock:
                    _broken.append(BrokenRow(self.name, point.name, package, reason))
