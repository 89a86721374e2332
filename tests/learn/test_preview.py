"""The held-out picture of a run: made of the tiles that are measured, reduced, the same image every time."""

import numpy as np
import pytest

from segstudio.geometry import Rect
from segstudio.learn.data import Part, PlaneEntry
from segstudio.learn.gate import HeldOut, HeldOutTile
from segstudio.learn.preview import LARGEST_PX, Preview
from segstudio.runs import HeldOutPicture

CLASSES = ((3, "background"), (9, "nucleus"))


class Pixels:
    """A data set of planes whose samples are their x over 1024, in as many channels as asked for."""

    def __init__(self, channels: int = 1) -> None:
        self.channels = channels
        self.reads = 0

    def pixels(self, image: int, plane: int, rect: Rect, levels: object = ()) -> np.ndarray:
        self.reads += 1
        row = (np.arange(rect.x, rect.right) / 1024).astype(np.float32)
        return np.broadcast_to(row[None, :, None], (rect.h, rect.w, self.channels))


def entry(path: str, width: int = 600, height: int = 300) -> PlaneEntry:
    return PlaneEntry(len(path), 0, path, width, height, 1, path, Part.HELD_OUT, True, 1)


def tiles(of: PlaneEntry, blocks: tuple[Rect, ...] | None = None) -> tuple[HeldOutTile, ...]:
    return tuple(
        HeldOutTile(of, ty, tx, blocks) for ty in range(-(-of.height // 256)) for tx in range(-(-of.width // 256))
    )


def seen(preview: Preview, target: HeldOut) -> None:
    """Every tile is measured: all is nucleus in truth, and right of x = 300 predicted as such."""
    for tile in target.tiles:
        truth = np.ones((tile.rect.h, tile.rect.w), np.int64)
        best = np.broadcast_to((np.arange(tile.rect.x, tile.rect.right) >= 300).astype(np.int64), truth.shape)
        preview.see(tile, truth, best)


def made(target: HeldOut, data: Pixels | None = None) -> HeldOutPicture:
    preview = Preview(data or Pixels(), target, ())  # type: ignore[arg-type]
    assert preview.picture(1) is None, "nothing was measured yet"
    seen(preview, target)
    found = preview.picture(7)
    assert found is not None
    return found


def ids(data: bytes, of: HeldOutPicture) -> np.ndarray:
    return np.frombuffer(data, "<u2").reshape(of.height, of.width)


def test_the_picture_has_pixels_labels_and_prediction_of_the_image() -> None:
    found = made(HeldOut(tiles(entry("a.png")), CLASSES))
    assert (found.step, found.path, found.width, found.height) == (7, "a.png", 200, 100)
    assert (ids(found.truth, found) == 9).all()
    predicted = ids(found.predicted, found)
    assert (predicted[:, :100] == 3).all()
    assert (predicted[:, 100:] == 9).all()
    image = np.frombuffer(found.image, np.uint8).reshape(100, 200, 3)
    assert image[0, :, 1].tolist() == [round(255 * 3 * x / 1024) for x in range(200)]


@pytest.mark.parametrize("size", [(17, 9), (256, 256), (257, 300), (1024, 1000), (1500, 200)])
def test_it_is_small_however_large_the_image_is(size: tuple[int, int]) -> None:
    found = made(HeldOut(tiles(entry("a.png", *size)), CLASSES))
    assert max(found.width, found.height) <= LARGEST_PX
    assert len(found.image) == 3 * found.width * found.height
    assert (ids(found.truth, found) == 9).all()
    assert len(found.image) + len(found.truth) + len(found.predicted) <= 7 * LARGEST_PX**2


def test_the_same_image_is_shown_whatever_is_held_out_beside_it() -> None:
    names = [f"{'x' * n}.png" for n in range(1, 9)]
    first = made(HeldOut(sum((tiles(entry(name)) for name in names), ()), CLASSES)).path
    again = made(HeldOut(sum((tiles(entry(name)) for name in reversed(names)), ()), CLASSES)).path
    assert first == again
    assert made(HeldOut(tiles(entry(first)) + tiles(entry("other.png")), CLASSES)).path in (first, "other.png")


def test_tiles_far_apart_are_not_read_as_one_picture() -> None:
    large = entry("large.png", 40_000, 40_000)
    target = HeldOut((HeldOutTile(large, 0, 0, None), HeldOutTile(large, 150, 150, None)), CLASSES)
    found = made(target)
    assert (found.width, found.height) == (256, 256)


def test_outside_held_out_blocks_nothing_is_shown_as_predicted() -> None:
    block = Rect(0, 0, 90, 300)
    found = made(HeldOut(tiles(entry("a.png"), (block,)), CLASSES))
    predicted = ids(found.predicted, found)
    assert (predicted[:, :30] == 3).all()
    assert (predicted[:, 30:] == 0).all()


def test_the_image_is_read_once() -> None:
    data, target = Pixels(4), HeldOut(tiles(entry("a.png")), CLASSES)
    preview = Preview(data, target, ())  # type: ignore[arg-type]
    seen(preview, target)
    assert preview.picture(1) != preview.picture(2)
    assert data.reads == 1


def test_with_nothing_held_out_there_is_no_picture() -> None:
    preview = Preview(Pixels(), HeldOut((), CLASSES), ())  # type: ignore[arg-type]
    seen(preview, HeldOut(tiles(entry("a.png")), CLASSES))
    assert preview.picture(1) is None
