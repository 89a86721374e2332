"""The first look at files to import: what is in them, before anybody has said what it means."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from segstudio.formats.naming import StemPattern
from segstudio.store.project import Project
from segstudio.tasks.labels.incoming_files import incoming_labels
from segstudio.tasks.labels.meanings import Meaning
from segstudio.tasks.progress import Progress

__all__ = ["ImportSurvey", "survey_import"]


@dataclass(frozen=True, slots=True)
class ImportSurvey:
    """The values, colours or names in the files that belong to images of the project, each once."""

    meanings: tuple[Meaning, ...]


def survey_import(
    project: Project, format_: str, path: Path, *, pattern: StemPattern | None = None
) -> Generator[Progress, None, ImportSurvey]:
    """What is in the files that `import_masks` would read with the same arguments. Reads only; raises as it does."""
    incoming = incoming_labels(project, format_, path, None, pattern)
    found = yield from incoming.meanings(project.classes())
    return ImportSurvey(found)
