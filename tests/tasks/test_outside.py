"""What lies outside a picture, no data in any band, is left unknown by whatever is not the hand."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segstudio.engine.predicting import Looking, predict_job
from segstudio.engine.project_data import ProjectData
from segstudio.engine.protocol import Predict, PredictedTile, Target
from segstudio.engine.sources import Sources
from segstudio.engine.workshop import Workshop
from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect
from segstudio.labels.lint.finding import LintKind
from segstudio.labels.model import ImageId
from segstudio.labels.tiles.codec import decode_tile
from segstudio.labels.tiles.tile import expanded
from segstudio.runs import EMBEDDED
from segstudio.store.project import Project
from segstudio.tasks.images.new import new_project
from segstudio.tasks.labels.accept import accept
from segstudio.tasks.labels.evaluate import evaluate
from segstudio.tasks.labels.export import export
from segstudio.tasks.labels.import_masks import import_masks
from segstudio.tasks.labels.lint import lint, mend
from segstudio.tasks.progress import finished
from tests.imaging.geo_files import noise, write_raster
from tests.tasks.small_projects import CLASSES, SIZE
from tests.tasks.test_accept import LEAF, propose, set_rest

WHOLE = Rect(0, 0, *SIZE)
OUTSIDE = np.zeros(SIZE[::-1], bool)
OUTSIDE[:, :12] = True


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project of one picture of which the left 12 columns hold no data."""
    samples = noise((SIZE[1], SIZE[0], 3), "uint16", high=900)
    samples[OUTSIDE] = 0
    folder = tmp_path / "pictures"
    folder.mkdir()
    write_raster(folder / "a.tif", samples, nodata=0)
    path = finished(new_project(tmp_path / "p.segstudio", [str(folder)], CLASSES)).path
    with Project.open(path) as opened:
        yield opened


def mask_of(folder: Path, values: np.ndarray) -> Path:
    folder.mkdir()
    Image.fromarray(values.astype(np.uint8)).save(folder / "a.png")
    return folder


def labels(project: Project) -> np.ndarray:
    return project.document(ImageId(1)).class_ids(0, WHOLE)


def paint_everywhere(project: Project, tmp_path: Path, value: int) -> None:
    """The hand may paint anywhere, and so may a person's mask."""
    finished(import_masks(project, "png", mask_of(tmp_path / "painted", np.full(SIZE[::-1], value))))


def test_accept_leaves_it_unknown(project: Project) -> None:
    propose(project, 1, (LEAF, 0, 0, *SIZE))
    finished(accept(project, project.images()))
    assert np.array_equal(labels(project) == LEAF, ~OUTSIDE)


def test_done_leaves_it_unknown_when_the_rest_becomes_background(project: Project) -> None:
    set_rest(project, "background")
    propose(project, 1, (LEAF, 20, 5, 5, 5))
    finished(accept(project, project.images(), done=True))
    assert np.array_equal(labels(project) == 0, OUTSIDE)


def test_the_check_of_labels_misses_nothing_there_and_mending_fills_the_picture_alone(project: Project) -> None:
    set_rest(project, "proposal")
    propose(project, 1, (LEAF, 12, 0, 20, 30))
    finished(accept(project, project.images(), done=True))
    bare = finished(lint(project)).of(LintKind.UNKNOWN_IN_DONE)
    assert [(found.rect, found.pixels) for found in bare] == [(Rect(32, 0, 8, 30), 8 * 30)]
    finished(mend(project, [LintKind.UNKNOWN_IN_DONE]))
    assert np.array_equal(labels(project) == 0, OUTSIDE)
    assert not finished(lint(project)).of(LintKind.UNKNOWN_IN_DONE)


def test_what_was_painted_there_is_kept_and_exported_as_unknown(project: Project, tmp_path: Path) -> None:
    paint_everywhere(project, tmp_path, 1)
    assert (labels(project) == LEAF).all()
    finished(export(project, "png", tmp_path / "out"))
    found = np.asarray(Image.open(tmp_path / "out/masks/a.png"))
    assert np.array_equal(found, np.where(OUTSIDE, 255, 1))


def test_nothing_is_measured_there(project: Project, tmp_path: Path) -> None:
    paint_everywhere(project, tmp_path, 1)
    truth = mask_of(tmp_path / "truth", np.where(OUTSIDE, 2, 1))
    report = finished(evaluate(project, truth, content="labels"))
    assert report.counts.sum() == (~OUTSIDE).sum()
    assert report.figures.pixel_accuracy == 1.0


def test_nothing_is_learned_from_there_and_the_network_sees_the_darkest_value(project: Project, tmp_path: Path) -> None:
    paint_everywhere(project, tmp_path, 1)
    data = ProjectData(project, Sources())
    classes, origins = data.labels(1, 0, WHOLE)
    assert np.array_equal(classes == 0, OUTSIDE)
    assert not origins[OUTSIDE].any()
    pixels = data.pixels(1, 0, WHOLE)
    assert (pixels[OUTSIDE] == 0).all()
    # Levels are those of the picture alone: without its darkest sixth of zeros they begin above the least value.
    assert np.percentile(pixels[~OUTSIDE], 5) < 0.1


def test_nothing_is_proposed_there(project: Project) -> None:
    shop = Workshop(lambda: ProjectData(project, Sources()))
    request = Predict(id=1, version=EMBEDDED, device="cpu", targets=[Target(image=1, plane=0)])
    sent = list(predict_job(shop, request, Looking()))
    tiles = [expanded(decode_tile(found.labels))[0] for found in sent if isinstance(found, PredictedTile)]
    ids = tiles[-1][: SIZE[1], : SIZE[0]]
    assert not ids[OUTSIDE].any()
    assert ids[~OUTSIDE].all()


def test_where_the_file_is_gone_an_export_says_so_and_writes_nothing(project: Project, tmp_path: Path) -> None:
    paint_everywhere(project, tmp_path, 1)
    (tmp_path / "pictures" / "a.tif").unlink()
    with pytest.raises(UnreadableImage, match=r"a\.tif cannot be read: there is no such file"):
        finished(export(project, "png", tmp_path / "out"))
    assert not (tmp_path / "out").exists()
