"""The first look at files to import: what is in them, before anybody has said what it means."""

from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from segstudio.errors import UserError
from segstudio.formats.naming import StemPattern
from segstudio.formats.table import Layout, readable
from segstudio.store.project import Project
from segstudio.tasks.labels.incoming import Incoming
from segstudio.tasks.labels.incoming_files import incoming_labels
from segstudio.tasks.labels.meanings import Meaning
from segstudio.tasks.progress import Progress

__all__ = ["ImportSurvey", "survey_import"]


@dataclass(frozen=True, slots=True)
class ImportSurvey:
    """The values, colours or names in the files that belong to images of the project, each once; `format` is the name
    of the format that was asked for, or found in a folder."""

    meanings: tuple[Meaning, ...]
    format: str


def survey_import(
    project: Project, format_: str, path: Path, *, pattern: StemPattern | None = None
) -> Generator[Progress, None, ImportSurvey]:
    """What is in the files that `import_masks` would read with the same arguments. Reads only; raises as it does.

    A folder without masks for the project may hold a file of annotations, where no format is named.
    """
    name, incoming = _incoming(project, format_, path, pattern)
    found = yield from incoming.meanings(project.classes())
    return ImportSurvey(found, name)


def _incoming(project: Project, format_: str, path: Path, pattern: StemPattern | None) -> tuple[str, Incoming]:
    try:
        return format_, incoming_labels(project, format_, path, None, pattern)
    except UserError:
        if format_ or pattern is not None or not path.is_dir():
            raise
        for name in readable(Layout.ANNOTATIONS):
            with suppress(UserError):
                return name, incoming_labels(project, name, path)
        raise
