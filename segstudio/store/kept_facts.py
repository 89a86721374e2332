"""Measurements of labels in cache/facts: they stay valid while the labels are the same."""

from pathlib import Path

import msgspec

from segstudio.runs import LabelStamp, PlaneFacts
from segstudio.store.catalog.record_file import RecordFile, RecordKind, read_records

__all__ = ["FACTS", "FactsFile", "KeptFacts", "read_facts"]

FACTS = Path("cache", "facts")
"""Where it lies in a project."""

KeptFacts = tuple[LabelStamp, PlaneFacts]


def _key(kept: KeptFacts) -> tuple[int, int]:
    return kept[0].image, kept[0].plane


_KIND = RecordKind(b"segstudio facts 2\n", msgspec.msgpack.Decoder(KeptFacts), _key)


def read_facts(path: Path) -> dict[tuple[int, int], KeptFacts]:
    """What is kept, by image and plane; nothing where the file is missing, unreadable or of another version."""
    return read_records(path, _KIND)


class FactsFile(RecordFile[KeptFacts, tuple[int, int]]):
    """Appends to the file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _KIND)
