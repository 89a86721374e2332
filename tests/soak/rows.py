"""What every soak shares: a file of one JSON object a line, with which a later run goes on."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["Rows"]


class Rows:
    """Rows are appended and printed as they come; `sum` counts over those of earlier runs too."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[dict[str, object]] = []
        if path.exists():
            self._rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]

    def add(self, row: dict[str, object]) -> None:
        """Append one row, with the time."""
        row = {**row, "time": datetime.now(UTC).isoformat(timespec="seconds")}
        self._rows.append(row)
        line = json.dumps(row)
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(line + "\n")
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def sum(self, column: str) -> int:
        """The sum of a column over all rows that have it."""
        return sum(int(str(row.get(column, 0))) for row in self._rows)
