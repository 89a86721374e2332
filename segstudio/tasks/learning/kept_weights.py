"""Which weights a project keeps: learning that goes on leaves a version a minute, and few of them are of use.

Kept are those of every version that was promoted, that a person made, let propose, or that a run to be resumed
continues; and of the rounds that came to nothing, the newest. Of the others their row, card, figures and curves stay.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from segstudio.runs import Plan
from segstudio.store.learning import drop_weights
from segstudio.store.project import Project
from segstudio.tasks.learning.interrupted import CHECKPOINT

__all__ = ["clear_rounds"]


class _Card(msgspec.Struct):
    picks_up: bool = False


def clear_rounds(project: Project) -> None:
    """Delete the weights of rounds that are not kept, after that is on disk. Raises `DiskRefused`.

    What is cut off in between, or a file that cannot be deleted, is deleted after the next round.
    """
    models = project.path / "models"
    rounds = {path.stem for path in models.glob("v*.safetensors") if _is_round(path.with_suffix(".json"))}
    dropped = drop_weights(project, rounds, set(_continued(project.path / "runs"))).result()
    for name in rounds & dropped:
        with suppress(OSError):  # another program has it open
            (models / f"{name}.safetensors").unlink(missing_ok=True)


def _is_round(card: Path) -> bool:
    """Whether nobody asked for a version; one whose card does not say so is kept."""
    try:
        return msgspec.json.decode(card.read_bytes(), type=_Card).picks_up
    except (OSError, msgspec.MsgspecError):
        return False


def _continued(runs: Path) -> Iterator[str]:
    """What the runs continue that have a checkpoint to be resumed from."""
    for checkpoint in runs.glob(f"*/{CHECKPOINT}"):
        with suppress(OSError, msgspec.MsgspecError):  # without its plan it starts again, from what proposes then
            yield msgspec.json.decode((checkpoint.parent / "plan.json").read_bytes(), type=Plan).base
