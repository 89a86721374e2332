import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from segstudio.errors import ExportMismatch
from segstudio.formats import coco
from segstudio.formats.coco import CocoWriter
from segstudio.formats.rle import object_runs
from segstudio.formats.values import NOTHING, ExportPlan, FormatClass, LabelPlane
from segstudio.labels.model import Kind

# pycocotools 2.0.11 uses a form of NumPy's that 2.4 warns of.

CLASSES = (
    FormatClass(0, "background", "#102030", Kind.BACKGROUND),
    FormatClass(1, "leaf", "#E69F00", Kind.SEMANTIC),
    FormatClass(4, "cell", "#56B4E9", Kind.INSTANCE),
    FormatClass(3, "blur", "#FFFFFF", Kind.IGNORE),
)


def exported(folder: Path, *planes: LabelPlane, background: bool = False) -> dict:
    writer = CocoWriter(folder, ExportPlan(CLASSES, tuple((p.path, p.planes) for p in planes), background))
    for plane in planes:
        writer.add(plane)
    assert [str(name) for name in writer.finish()] == ["coco.json"]
    return json.loads((folder / "coco.json").read_text())


def plane_of(
    objects: NDArray, value_of: dict[int, int], path: str = "a.jpg", at: int = 0, planes: int = 1
) -> LabelPlane:
    table = np.full(int(objects.max()) + 1, NOTHING, np.int32)
    for object_id, value in value_of.items():
        if object_id < len(table):
            table[object_id] = value
    return LabelPlane(path, at, planes, table[objects], objects.astype(np.uint32))


VALUES = {1: 0, 2: 1, 3: 4, 4: 4}


def ring() -> NDArray:
    """A semantic object with a hole and a second part, and two instances that touch."""
    objects = np.ones((20, 30), np.uint32)
    objects[2:10, 2:10] = 2
    objects[4:8, 4:8] = 1
    objects[15:18, 1:3] = 2
    objects[2:8, 15:20] = 3
    objects[8:12, 15:20] = 4
    return objects


def test_every_annotation_decodes_to_exactly_its_pixels(tmp_path: Path) -> None:
    objects = ring()
    content = exported(tmp_path, plane_of(objects, VALUES, "sub/a.jpg"))
    assert content["images"] == [{"id": 1, "width": 30, "height": 20, "file_name": "sub/a.jpg"}]
    assert [(c["id"], c["name"]) for c in content["categories"]] == [(1, "leaf"), (4, "cell")]
    assert [a["category_id"] for a in content["annotations"]] == [1, 4, 4]
    for annotation, object_id in zip(content["annotations"], (2, 3, 4), strict=True):
        mask = objects == object_id
        assert np.array_equal(coco_mask.decode(annotation["segmentation"]), mask)
        ys, xs = np.nonzero(mask)
        assert annotation["bbox"] == [xs.min(), ys.min(), np.ptp(xs) + 1, np.ptp(ys) + 1]
        assert annotation["area"] == mask.sum()
        assert annotation["iscrowd"] == 0


def test_pycocotools_opens_the_file_by_its_own_loader(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pycocotools.coco import COCO

    exported(tmp_path, plane_of(ring(), VALUES))
    loaded = COCO(tmp_path / "coco.json")
    capsys.readouterr()
    assert np.array_equal(loaded.annToMask(loaded.loadAnns([1])[0]), ring() == 2)


def test_several_objects_of_a_semantic_class_are_one_annotation(tmp_path: Path) -> None:
    content = exported(tmp_path, plane_of(ring(), {2: 1, 3: 1, 4: 1}))
    assert len(content["annotations"]) == 1
    assert np.array_equal(coco_mask.decode(content["annotations"][0]["segmentation"]), ring() > 1)


def test_the_background_is_there_only_when_asked_for(tmp_path: Path) -> None:
    content = exported(tmp_path, plane_of(ring(), VALUES), background=True)
    assert [c["id"] for c in content["categories"]] == [0, 1, 4]
    assert np.array_equal(coco_mask.decode(content["annotations"][0]["segmentation"]), ring() == 1)


def test_ignored_and_unknown_pixels_are_left_out(tmp_path: Path) -> None:
    content = exported(tmp_path, plane_of(ring(), {2: 1}))
    assert [a["category_id"] for a in content["annotations"]] == [1]


def test_planes_are_images_of_their_own(tmp_path: Path) -> None:
    planes = [plane_of(ring(), VALUES, "v.tif", at, 2) for at in range(2)]
    content = exported(tmp_path, *planes)
    assert [(i["id"], i["file_name"], i["plane"]) for i in content["images"]] == [(1, "v.tif", 0), (2, "v.tif", 1)]


def test_an_image_without_objects_is_listed_without_annotations(tmp_path: Path) -> None:
    content = exported(tmp_path, plane_of(np.zeros((4, 4), np.uint32), {}))
    assert len(content["images"]) == 1
    assert content["annotations"] == []


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.uint32, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 5)))
def test_runs_are_those_of_pycocotools(numbers: NDArray) -> None:
    found = {runs.number: runs for runs in object_runs(numbers)}
    assert set(found) == set(np.unique(numbers)) - {0}
    for number, runs in found.items():
        reference = coco_mask.encode(np.asfortranarray((numbers == number).astype(np.uint8)))
        packed = coco_mask.frPyObjects({"size": list(numbers.shape), "counts": runs.counts}, *numbers.shape)
        assert packed == reference
        assert list(runs.box) == coco_mask.toBbox(reference).tolist()
        assert runs.area == coco_mask.area(reference)


def test_a_wrong_annotation_is_noticed_before_anything_is_said_to_be_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shifted(numbers: NDArray):
        yield from object_runs(np.roll(numbers, 1, axis=1))

    monkeypatch.setattr(coco, "object_runs", shifted)
    with pytest.raises(ExportMismatch, match=r"a\.jpg"):
        exported(tmp_path, plane_of(ring(), VALUES))
