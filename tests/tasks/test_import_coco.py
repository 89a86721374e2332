"""COCO files become labels: what is in them, which image it belongs to, and what is said of the rest."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from segstudio.errors import MaskMismatch, UnreadableImage, UsageError, UserError
from segstudio.formats.naming import StemPattern
from segstudio.geometry import Rect
from segstudio.labels.edit import Edit
from segstudio.labels.model import Cause, Kind, Origin, Status
from segstudio.labels.paint.fill import Filling, parts_of
from segstudio.labels.tiles.streamed import collected
from segstudio.store.project import Project
from segstudio.tasks.images.new import new_project
from segstudio.tasks.labels.evaluate import evaluate
from segstudio.tasks.labels.export import export
from segstudio.tasks.labels.import_masks import IMPORTED, Target, import_masks
from segstudio.tasks.labels.import_preview import preview_import
from segstudio.tasks.labels.mask_map import parsed_map
from segstudio.tasks.progress import finished
from tests.tasks.coco_files import area, coco_file, rectangle
from tests.tasks.small_projects import CLASSES, SIZE

WIDTH, HEIGHT = SIZE
WHOLE = Rect(0, 0, WIDTH, HEIGHT)


def box(x: int, y: int, w: int, h: int) -> NDArray[np.bool_]:
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[y : y + h, x : x + w] = True
    return mask


def polygons(*parts: list[float], category: object = 9, **more: object) -> dict:
    return {"image_id": 1, "category_id": category, "segmentation": list(parts), "iscrowd": 0, **more}


def brought_in(project: Project, file: Path, **options: object):
    return finished(import_masks(project, "coco", file, **options))


def names_and_objects(project: Project, path: str = "a.png") -> tuple[NDArray, NDArray]:
    """Class names ('' = unknown) and object ids (h, w)."""
    row = project.find_image(path)
    document = project.document(row.id)
    width, height = row.planes[0]
    whole = Rect(0, 0, width, height)
    names = {int(c.id): c.name for c in project.classes()} | {0: ""}
    return np.vectorize(names.__getitem__)(document.class_ids(0, whole)), document.raster.read(0, whole)[0]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "them.json"


@pytest.mark.parametrize("pack", [False, True], ids=["plain", "packed"])
def test_run_lengths_of_both_kinds_are_the_pixels_they_say(project: Project, file: Path, pack: bool) -> None:
    ring = box(3, 2, 9, 9) & ~box(5, 4, 3, 3) | box(20, 20, 1, 1)
    brought_in(project, coco_file(file, [area(ring, 1, 9, pack=pack), area(box(30, 0, 10, 30), 1, 7, pack=pack)]))
    names, objects = names_and_objects(project)
    assert np.array_equal(names == "cell", ring)
    assert np.array_equal(names == "leaf", box(30, 0, 10, 30))
    assert len(np.unique(objects[ring])) == 1


def test_polygons_are_filled_parts_and_what_reaches_beyond_the_image_included(project: Project, file: Path) -> None:
    parts = [polygons(rectangle(2, 3, 5, 4), rectangle(20, 10, 3, 2)), polygons(rectangle(36, 26, 9, 9))]
    brought_in(project, coco_file(file, parts))
    names, objects = names_and_objects(project)
    expected = box(2, 3, 5, 4) | box(20, 10, 3, 2)
    assert np.array_equal(names == "cell", expected | box(36, 26, 4, 4))
    assert len(np.unique(objects[expected])) == 1


def test_touching_instances_stay_apart_and_a_semantic_class_is_one(project: Project, file: Path) -> None:
    annotations = [area(box(0, 0, 5, 5), 1, 9), area(box(5, 0, 5, 5), 1, 9)]
    annotations += [area(box(0, 10, 5, 5), 1, 7), area(box(20, 10, 5, 5), 1, 7)]
    report = brought_in(project, coco_file(file, annotations))
    _, objects = names_and_objects(project)
    assert objects[0, 4] != objects[0, 5]
    assert objects[10, 0] == objects[10, 20]
    assert (report.images, report.annotations, report.pixels) == (1, 4, 100)
    assert project.find_image("a.png").objects == 3


def test_of_two_that_overlap_the_later_one_is_kept_and_it_is_said(project: Project, file: Path) -> None:
    report = brought_in(project, coco_file(file, [area(box(0, 0, 6, 6), 1, 9), area(box(4, 0, 6, 6), 1, 7)]))
    names, _ = names_and_objects(project)
    assert np.array_equal(names == "leaf", box(4, 0, 6, 6))
    assert report.notes == ("12 pixels lie in more than one annotation: the later one was kept.",)


def test_boxes_keypoints_crowds_and_strays_are_counted_and_said(project: Project, file: Path) -> None:
    bare = {"image_id": 1, "category_id": 9, "bbox": [1, 1, 3, 3]}
    annotations = [
        bare,
        {**bare, "segmentation": []},
        {**bare, "keypoints": [1, 2, 2]},
        {**bare, "image_id": 77},
        area(box(0, 0, 0, 0), 1, 9),
        {**area(box(0, 0, 4, 4), 1, 9), "iscrowd": 1},
    ]
    report = brought_in(project, coco_file(file, annotations))
    assert report.notes == (
        "2 annotations left out: boxes without a segmentation.",
        "1 annotation left out: keypoints without a segmentation.",
        "1 annotation left out: its image is not in the file.",
        "1 annotation left out: it covers no pixel.",
        "1 annotation was imported as one object, though it is marked as a crowd of several.",
    )
    assert report.pixels == 16


def test_labels_that_are_there_stay_where_the_file_says_nothing(project: Project, file: Path) -> None:
    brought_in(project, coco_file(file, [area(box(0, 0, 20, 20), 1, 7)]))
    brought_in(project, coco_file(file, [area(box(10, 10, 20, 20), 1, 9)]))
    names, _ = names_and_objects(project)
    assert np.array_equal(names == "leaf", box(0, 0, 20, 20) & ~box(10, 10, 20, 20))
    assert np.array_equal(names == "cell", box(10, 10, 20, 20))


def test_imported_objects_have_their_origin_and_undo_takes_all_back(project: Project, file: Path) -> None:
    images = [
        {"id": 1, "file_name": "a.png", "width": 40, "height": 30},
        {"id": 2, "file_name": "b.jpg", "width": 40, "height": 30},
    ]
    annotations = [area(box(0, 0, 5, 5), 1, 8), area(box(0, 0, 5, 5), 2, 8)]
    coco_file(file, annotations, images, [{"id": 8, "name": "stone"}])
    report = brought_in(project, file, new_classes=True, status=Status.DONE)
    assert (report.images, report.new_classes) == (2, ("stone",))
    row = project.find_image("b.jpg")
    assert row.status is Status.DONE
    assert (project.document(row.id).raster.read(0, WHOLE)[1][:5, :5] == Origin.IMPORTED).all()
    project.take_back(project.last_seq(), "").result()
    assert [image.labelled_pixels for image in project.images()] == [0, 0, 0]
    assert project.classes().named("stone") is None


def test_they_become_proposals_object_by_object(project: Project, file: Path) -> None:
    coco_file(file, [area(box(0, 0, 5, 5), 1, 9), area(box(5, 0, 5, 5), 1, 9)])
    brought_in(project, file, target=Target.PROPOSALS)
    proposal = project.proposals.read(project.find_image("a.png").id, 0)
    assert proposal is not None
    assert (proposal.version, len(proposal.rows)) == (IMPORTED, 2)


def test_new_classes_are_made_for_things_and_for_stuff(project: Project, file: Path) -> None:
    categories = [{"id": 0, "name": "bird"}, {"id": "s", "name": "sky", "isthing": 0}, {"id": 5, "name": "unused"}]
    coco_file(file, [area(box(0, 0, 5, 5), 1, 0), area(box(9, 9, 5, 5), 1, "s")], None, categories)
    with pytest.raises(UserError, match=r"no classes 'bird', 'sky'; it has background, leaf, cell, blur"):
        brought_in(project, file)
    assert brought_in(project, file, new_classes=True).new_classes == ("bird", "sky")
    kinds = {c.name: c.kind for c in project.classes()}
    assert (kinds["bird"], kinds["sky"]) == (Kind.INSTANCE, Kind.SEMANTIC)


def test_a_map_names_categories_by_name_or_by_number(project: Project, file: Path) -> None:
    categories = [{"id": 1, "name": "blade"}, {"id": 4, "name": "dirt"}]
    coco_file(file, [area(box(0, 0, 5, 5), 1, 1), area(box(9, 9, 5, 5), 1, 4)], None, categories)
    report = brought_in(project, file, mapping=parsed_map(["blade=leaf,4="]))
    names, _ = names_and_objects(project)
    assert np.array_equal(names == "leaf", box(0, 0, 5, 5))
    assert report.pixels == 25
    with pytest.raises(UsageError, match=r"'stem' is not a class in them.json; its classes are blade, dirt"):
        brought_in(project, file, mapping=parsed_map(["stem=leaf"]))
    with pytest.raises(UsageError, match="--pattern is for masks"):
        brought_in(project, file, pattern=StemPattern("{stem}_mask"))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("sub/c.tif", "sub/c.tif"),
        ("C.TIF", "sub/c.tif"),
        ("images\\train\\a.png", "a.png"),
        ("/srv/pictures/b.jpg", "b.jpg"),
        ("../../../etc/a.png", "a.png"),
        ("https://server/x/b.jpg", "b.jpg"),
    ],
)
def test_an_image_is_found_by_its_path_or_by_its_name(project: Project, file: Path, name: str, path: str) -> None:
    images = [
        {"id": 1, "file_name": name, "width": 40, "height": 30},
        {"id": 2, "file_name": "nowhere.png", "width": 4, "height": 3},
    ]
    report = brought_in(project, coco_file(file, [area(box(0, 0, 5, 5), 1, 9)], images))
    assert project.find_image(path).labelled_pixels == 25
    assert report.skipped == ("nowhere.png",)


RLE = {"image_id": 1, "category_id": 9, "iscrowd": 0}


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        (polygons(rectangle(100, 100, 5, 5)), "annotation 2 of a.png is outside its image of 40 x 30 pixels"),
        (polygons(rectangle(1, 1, 1e9, 5)), "annotation 2 of a.png is outside its image"),
        (
            polygons([1, 1, 5, 5]),
            "annotation 2 of a.png has a polygon of 4 numbers, but x and y of at least three points",
        ),
        (polygons([1, 1, 5, 5, 7, 1, 3]), "has a polygon of 7 numbers"),
        (
            polygons(rectangle(1, 1, 5, 5), category=55),
            "annotation 2 has the category 55, which the file does",
        ),
        (RLE | {"segmentation": {"size": [40, 30], "counts": [1200]}}, "is made for 30 x 40 pixels, but its image has"),
        (
            RLE | {"segmentation": {"size": [30, 40], "counts": [7, 3]}},
            "run lengths for 10 pixels, but its image has",
        ),
        (RLE | {"segmentation": {"size": [30, 40], "counts": [-1, 1201]}}, "run lengths for 1200 pixels"),
        (
            RLE | {"segmentation": {"size": [30, 40], "counts": "zz"}},
            "annotation 2 of a.png has a run-length code",
        ),
        (RLE | {"segmentation": {"size": [30, 40], "counts": ""}}, "has a run-length code that is damaged"),
        (RLE | {"segmentation": "mask.png"}, "annotation 2 of a.png is invalid: expected"),
        (
            {"image_id": 1, "segmentation": [rectangle(1, 1, 5, 5)]},
            "annotation 2 is not a COCO instance: object",
        ),
    ],
)
def test_an_annotation_that_is_wrong_is_one_sentence_and_nothing_is_imported(
    project: Project, file: Path, annotation: dict, said: str
) -> None:
    before = project.last_seq()
    coco_file(file, [area(box(0, 0, 5, 5), 1, 9), annotation])
    with pytest.raises(MaskMismatch, match=said) as error:
        brought_in(project, file)
    assert error.value.sentence.startswith("them.json: annotation ")
    assert "\n" not in error.value.line
    assert project.last_seq() == before
    assert project.images()[0].labelled_pixels == 0


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (
            [{"id": 1, "file_name": "a.png", "width": 30, "height": 40}],
            "says that a.png has 30 x 40 pixels, but the",
        ),
        ([{"id": 1, "file_name": "a.png", "plane": 3}], "for plane 3 of a.png, which has 1"),
        ([{"id": 1, "file_name": "a.png"}, {"id": 1, "file_name": "b.jpg"}], "two images have the id 1"),
        (
            [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "A.png"}],
            "two images for a.png: a.png and A.png",
        ),
        ([{"id": 1, "file_name": "z.png"}], "None of the 1 images in them.json is in the project: z.png"),
    ],
)
def test_an_image_that_does_not_fit_is_one_sentence(project: Project, file: Path, images: list, said: str) -> None:
    with pytest.raises(UserError, match=said):
        brought_in(project, coco_file(file, [area(box(0, 0, 5, 5), 1, 9)], images))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not JSON, or is cut short"),
        ('{"images": [], "annot', "is not JSON, or is cut short"),
        ("\x00\x01", "is not JSON, or is cut short"),
        ("[]", r"is not a COCO file of instances: expected `object`, got `array`"),
        ('{"images": []}', "is not a COCO file of instances: object missing required field `annotations`"),
        ('{"images": [{"id": 1}], "annotations": [], "categories": []}', r"`file_name` \(at `\$.images\[0\]`\)"),
        ('{"images": [], "categories": [], "annotations": ' + "[" * 5000, "is not JSON, or is cut short|too deeply"),
        ('{"images": [], "annotations": [NaN], "categories": []}', "is not JSON, or is cut short"),
    ],
)
def test_a_file_that_is_none_is_one_sentence(project: Project, file: Path, text: str, said: str) -> None:
    file.write_text(text)
    with pytest.raises(UnreadableImage, match=said) as error:
        brought_in(project, file)
    assert "\n" not in error.value.line


def test_a_file_without_an_area_says_what_it_has(project: Project, file: Path) -> None:
    coco_file(file, [{"image_id": 1, "category_id": 9, "bbox": [1, 1, 3, 3]}])
    with pytest.raises(UserError, match=r"no area for the images of the project, only boxes without a segmentation"):
        brought_in(project, file)


def test_a_folder_stands_for_its_one_json_file(project: Project, file: Path) -> None:
    coco_file(file, [area(box(0, 0, 5, 5), 1, 9)])
    assert brought_in(project, file.parent).pixels == 25
    (file.parent / "more.json").write_text("{}")
    with pytest.raises(UserError, match=r"holds 2 JSON files, and none named coco.json"):
        brought_in(project, file.parent)


def test_a_byte_order_mark_is_no_fault(project: Project, file: Path) -> None:
    coco_file(file, [area(box(0, 0, 5, 5), 1, 9)])
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert brought_in(project, file).pixels == 25


def test_a_preview_says_what_would_happen_and_changes_nothing(project: Project, file: Path) -> None:
    brought_in(project, coco_file(file, [area(box(0, 0, 5, 5), 1, 7)]))
    before = project.last_seq()
    coco_file(file, [area(box(3, 0, 5, 5), 1, 9), area(box(10, 0, 5, 5), 1, 9), area(box(0, 20, 5, 5), 1, 7)])
    preview = finished(preview_import(project, "coco", file))
    (plane,) = preview.planes
    assert (plane.path, plane.source, plane.objects, plane.pixels, plane.overwrites) == ("a.png", "a.png", 3, 75, 10)
    assert project.last_seq() == before


def test_evaluate_takes_such_a_file_for_truth(project: Project, file: Path) -> None:
    coco_file(file, [area(box(0, 0, 10, 10), 1, 7)])
    brought_in(project, file)
    report = finished(evaluate(project, file, content="labels"))
    assert (report.images, report.figures.pixels, report.figures.classes["leaf"].iou) == (1, 100, 1.0)


def _painted(project: Project, path: str, class_of: dict[int, str], numbers: NDArray[np.uint32]) -> None:
    """Paint objects as they are numbered."""
    classes, row = project.classes(), project.find_image(path)
    lookup = np.zeros(max(class_of) + 1, np.int32)
    for number, name in class_of.items():
        found = classes.named(name)
        assert found is not None
        lookup[number] = found.id
    ids = lookup[numbers]
    work = Filling(
        {0: lambda r: ids[r.y : r.bottom, r.x : r.right]},
        classes,
        Origin.PAINTED,
        numbers={0: lambda r: numbers[r.y : r.bottom, r.x : r.right]},
    )
    edit = collected(Edit(row.id, Cause.PAINT), parts_of(project.document(row.id), work))
    if edit is not None:
        project.writing().write_all([edit]).result()


OBJECTS = {1: "background", 2: "leaf", 3: "cell", 4: "cell", 5: "cell", 6: "blur"}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrays.arrays(np.uint8, (HEIGHT, WIDTH), elements=st.integers(0, 6), fill=st.integers(0, 6)), st.booleans())
def test_what_is_exported_is_imported_pixel_by_pixel_and_object_by_object(
    tmp_path_factory: pytest.TempPathFactory, pictures: Path, drawn: NDArray[np.uint8], background: bool
) -> None:
    numbers = drawn.astype(np.uint32)
    numbers[0, 0] = 3  # never empty
    home = tmp_path_factory.mktemp("round")
    paths = [finished(new_project(home / n, [str(pictures)], CLASSES)).path for n in ("a.segstudio", "b.segstudio")]
    with Project.open(paths[0]) as one, Project.open(paths[1]) as other:
        _painted(one, "a.png", OBJECTS, numbers)
        finished(export(one, "coco", home / "out", background=background))
        brought_in(other, home / "out")
        was, is_now = names_and_objects(one), names_and_objects(other)
    lost = {"blur"} if background else {"blur", "background"}
    kept = ~np.isin(was[0], [*lost, ""])
    assert np.array_equal(np.where(kept, was[0], ""), is_now[0])
    pairs = set(zip(was[1][kept].tolist(), is_now[1][kept].tolist(), strict=True))
    assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs)


def test_a_file_of_many_objects_needs_memory_for_one_plane(tmp_path: Path, file: Path) -> None:
    import tracemalloc

    from segstudio.formats.annotated import painted
    from segstudio.formats.coco_reader import CocoReader

    side, objects = 512, 3000
    mark = np.zeros((side, side), np.bool_)
    mark[100:110, 100:110] = True
    one = area(mark, 1, 9, pack=True)
    images = [{"id": n, "file_name": f"{n}.png", "width": side, "height": side} for n in (1, 2)]
    coco_file(file, [one | {"image_id": n} for n in (1, 2) for _ in range(objects)], images)
    reader = CocoReader(file)
    tracemalloc.start()
    for image in reader.images:
        painted(reader.annotations(image, side, side), side, side)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12 * side * side  # the numbers twice, and some hundred areas; all masks are 3000 times the plane
    assert json.loads(file.read_text())["images"] == images
