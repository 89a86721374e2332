import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from segstudio.errors import ExportMismatch
from segstudio.formats import coco
from segstudio.formats.coco import CocoWriter, _Annotation, _Rle
from segstudio.formats.rle import Runs, down_columns, runs_of, unpacked
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


numbered = arrays.arrays(np.uint32, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 5))


def runs_of_numbers(numbers: NDArray) -> Runs:
    columns = down_columns(numbers)
    keys = np.where(columns == 0, -1, columns.astype(np.int64))
    return runs_of(keys, np.arange(numbers.size), numbers.shape[0], numbers.size)


@settings(max_examples=100, deadline=None)
@given(numbered)
def test_runs_are_those_of_pycocotools(numbers: NDArray) -> None:
    found = runs_of_numbers(numbers)
    assert set(found.keys.tolist()) == set(np.unique(numbers).tolist()) - {0}
    rows = zip(found.keys.tolist(), found.counts(), found.boxes().tolist(), found.areas().tolist(), strict=True)
    for number, counts, box, area in rows:
        reference = coco_mask.encode(np.asfortranarray((numbers == number).astype(np.uint8)))
        packed = coco_mask.frPyObjects({"size": list(numbers.shape), "counts": counts}, *numbers.shape)
        assert packed == reference
        assert box == coco_mask.toBbox(reference).tolist()
        assert area == coco_mask.area(reference)


@settings(max_examples=100, deadline=None)
@given(numbered)
def test_what_pycocotools_packs_is_unpacked_to_the_same_runs(numbers: NDArray) -> None:
    present = [n for n in np.unique(numbers).tolist() if n]
    packed = [coco_mask.encode(np.asfortranarray((numbers == n).astype(np.uint8)))["counts"] for n in present]
    found = unpacked(packed, numbers.shape[0], numbers.size)
    expected = runs_of_numbers(numbers)
    assert found is not None
    for name in ("starts", "stops", "firsts"):
        assert np.array_equal(getattr(found, name), getattr(expected, name)), name


def test_large_counts_are_unpacked_too() -> None:
    mask = np.zeros((5000, 4000), np.uint8, order="F")
    mask[4990:, 7], mask[:3, 8], mask[2500, 3999], mask[17, ::500] = 1, 1, 1, 1
    found = unpacked([coco_mask.encode(mask)["counts"]], 5000, mask.size)
    assert found is not None
    again = np.zeros(mask.size, np.uint8)
    for start, stop in zip(found.starts.tolist(), found.stops.tolist(), strict=True):
        again[start:stop] = 1
    assert np.array_equal(again, mask.ravel(order="F"))
    assert found.boxes().tolist() == [coco_mask.toBbox(coco_mask.encode(mask)).tolist()]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=12), max_size=4))
def test_counts_that_are_none_are_refused_or_are_runs_of_the_plane(packed: list[bytes]) -> None:
    found = unpacked(packed, 6, 30)
    if found is not None:
        assert len(found.keys) == len(packed)
        assert (found.starts >= 0).all()
        assert (found.stops <= 30).all()
        assert (found.starts < found.stops).all()


planes = st.tuples(numbered, st.lists(st.sampled_from([NOTHING, 0, 1, 4]), min_size=6, max_size=6), st.booleans())


@settings(max_examples=60, deadline=None)
@given(st.lists(planes, min_size=1, max_size=3))
def test_what_is_exported_decodes_to_the_labels_whatever_they_are(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[NDArray, list[int], bool]]
) -> None:
    given_planes = [
        plane_of(objects, {0: NOTHING} | dict(enumerate(values[1:], 1)), f"{at}.jpg")
        for at, (objects, values, _) in enumerate(drawn)
    ]
    background = drawn[0][2]
    content = exported(tmp_path_factory.mktemp("coco"), *given_planes, background=background)
    exported_values = {1, 4} | ({0} if background else set())
    for image, labels in zip(content["images"], given_planes, strict=True):
        again = np.full(labels.values.shape, NOTHING, np.int32)
        instances = np.zeros(labels.values.shape, np.int64)
        for a in (a for a in content["annotations"] if a["image_id"] == image["id"]):
            mask = coco_mask.decode(a["segmentation"]).astype(bool)
            assert (again[mask] == NOTHING).all()
            again[mask] = a["category_id"]
            instances[mask] = a["id"]
        assert np.array_equal(again, np.where(np.isin(labels.values, list(exported_values)), labels.values, NOTHING))
        cells = labels.values == 4
        pairs = set(zip(instances[cells].tolist(), labels.objects[cells].tolist(), strict=True))
        assert len(pairs) == len({number for number, _ in pairs}) == len({object_id for _, object_id in pairs})


Wrong = Callable[[_Annotation], _Annotation | None]


def _other_counts(annotation: _Annotation) -> _Annotation:
    rolled = np.roll(coco_mask.decode(msgspec.to_builtins(annotation.segmentation)), 1, axis=1)
    counts = coco_mask.encode(np.asfortranarray(rolled))["counts"].decode()
    return msgspec.structs.replace(annotation, segmentation=_Rle(annotation.segmentation.size, counts))


@pytest.mark.parametrize(
    "wrong",
    [
        _other_counts,
        lambda a: msgspec.structs.replace(a, area=a.area + 1),
        lambda a: msgspec.structs.replace(a, bbox=(0, 0, 1, 1)),
        lambda a: msgspec.structs.replace(a, category_id=4 if a.category_id == 1 else 1),
        lambda a: msgspec.structs.replace(a, category_id=9),
        lambda a: msgspec.structs.replace(a, image_id=2),
        lambda a: msgspec.structs.replace(a, id=a.id + 1),
        lambda a: msgspec.structs.replace(a, iscrowd=1),
        lambda a: None if a.id == 2 else a,
        lambda a: msgspec.structs.replace(a, segmentation=_Rle(a.segmentation.size, "~")),
        lambda a: msgspec.structs.replace(a, segmentation=_Rle((1, 1), a.segmentation.counts)),
    ],
)
def test_a_wrong_annotation_is_noticed_before_anything_is_said_to_be_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: Wrong
) -> None:
    annotated = CocoWriter._annotated

    def careless(self: CocoWriter, *arguments: Any) -> list[_Annotation]:
        return [changed for a in annotated(self, *arguments) if (changed := wrong(a)) is not None]

    monkeypatch.setattr(CocoWriter, "_annotated", careless)
    with pytest.raises(ExportMismatch, match=r"a\.jpg"):
        exported(tmp_path, plane_of(ring(), VALUES))


def test_two_objects_that_share_a_number_or_one_in_two_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = coco._Columns.runs

    def joined(self: Any, *arguments: Any) -> Runs:
        kept = self.objects.copy()
        self.objects[self.objects == 4] = 3
        found = runs(self, *arguments)
        self.objects[:] = kept
        return found

    def parted(self: Any, *arguments: Any) -> Runs:
        self.objects[: len(self.objects) * 17 // 30] += 100
        found = runs(self, *arguments)
        self.objects[: len(self.objects) * 17 // 30] -= 100
        return found

    for at, wrong in enumerate((joined, parted)):
        monkeypatch.setattr(coco._Columns, "runs", wrong)
        (tmp_path / str(at)).mkdir()
        with pytest.raises(ExportMismatch, match=r"a\.jpg"):
            exported(tmp_path / str(at), plane_of(ring(), VALUES))


def test_a_bit_that_flips_after_a_plane_was_compared_is_noticed(tmp_path: Path) -> None:
    writer = CocoWriter(tmp_path, ExportPlan(CLASSES, (("a.jpg", 1),)))
    writer.add(plane_of(ring(), VALUES))
    data = bytearray((tmp_path / "coco.json").read_bytes())
    data[-20] ^= 1
    (tmp_path / "coco.json").write_bytes(data)
    with pytest.raises(ExportMismatch, match="does not hold"):
        writer.finish()
