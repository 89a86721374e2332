import pytest
from hypothesis import given
from hypothesis import strategies as st

from segstudio.errors import MaskMismatch, UsageError
from segstudio.formats import naming
from segstudio.formats.naming import Places, StemPattern, mask_paths, matched
from segstudio.labels.model import folded_name

PNG = (".png",)


def names(*images: str | tuple[str, int]) -> list[list[str]]:
    return mask_paths([(i, 1) if isinstance(i, str) else i for i in images], ".png")


def targets(masks: list[str], *images: str | tuple[str, int]) -> dict[str, tuple[str, int]]:
    listed = [(i, 1) if isinstance(i, str) else i for i in images]
    return {masks[m]: (listed[i][0], plane) for m, i, plane in matched(masks, listed, PNG).pairs}


def test_a_mask_has_the_stem_of_its_image_in_the_same_folder() -> None:
    assert names("a.jpg", "sub/b.tif", "no_ending", "c.v2.png") == [
        ["a.png"], ["sub/b.png"], ["no_ending.png"], ["c.v2.png"],
    ]  # fmt: skip


def test_colliding_stems_keep_their_extension() -> None:
    assert names("a.jpg", "a.png", "sub/a.jpg") == [["a.jpg.png"], ["a.png.png"], ["sub/a.png"]]


def test_stems_that_differ_in_case_alone_collide() -> None:
    assert names("A.jpg", "a.png") == [["A.jpg.png"], ["a.png.png"]]


def test_a_name_that_only_collides_with_another_that_kept_its_extension_is_resolved_too() -> None:
    assert names("a.jpg", "a.png", "a.jpg.tif") == [["a.jpg.png"], ["a.png.png"], ["a.jpg.tif.png"]]


def test_planes_are_numbered_with_four_digits() -> None:
    assert names(("v.tif", 2)) == [["v_p0000.png", "v_p0001.png"]]
    assert names(("v.tif", 2), "v_p0001.png") == [
        ["v.tif_p0000.png", "v.tif_p0001.png"], ["v_p0001.png.png"],
    ]  # fmt: skip


stems = st.text("aAb.", min_size=1, max_size=4).filter(lambda s: s.strip("."))
paths = st.lists(
    st.tuples(stems, st.sampled_from([".jpg", ".png", ""])).map("".join), unique_by=folded_name, max_size=8
)


@given(paths)
def test_no_two_images_ever_share_a_name_and_every_export_finds_its_way_back(images: list[str]) -> None:
    listed = [(image, 1) for image in images]
    exported = [name for (name,) in mask_paths(listed, ".png")]
    assert len({folded_name(name) for name in exported}) == len(images)
    found = matched(exported, listed, PNG)
    assert {(m, i) for m, i, _ in found.pairs} == {(n, n) for n in range(len(images))}


def test_masks_are_found_by_path_by_stem_and_below_other_folders() -> None:
    assert targets(["x/a.png", "y/a.png"], "x/a.jpg", "y/a.jpg") == {
        "x/a.png": ("x/a.jpg", 0),
        "y/a.png": ("y/a.jpg", 0),
    }
    assert targets(["a.png"], "deep/tree/a.jpg") == {"a.png": ("deep/tree/a.jpg", 0)}
    assert targets(["labels/x/a.png"], "x/a.jpg", "a.jpg") == {"labels/x/a.png": ("x/a.jpg", 0)}
    assert targets(["a.jpg.png"], "a.jpg") == {"a.jpg.png": ("a.jpg", 0)}
    assert targets(["a.png"], "a.jpg", "a.png") == {"a.png": ("a.png", 0)}


def test_a_mask_of_another_folder_or_name_belongs_to_no_image() -> None:
    found = matched(["x/a.png", "b.png"], [("y/a.jpg", 1), ("c.jpg", 1)], PNG)
    assert found.pairs == ()
    assert found.unmatched == (0, 1)


def test_a_mask_that_fits_two_images_is_told_apart_from_one_that_fits_none() -> None:
    found = matched(["a.png"], [("x/a.jpg", 1), ("y/a.jpg", 1)], PNG)
    assert (found.pairs, found.ambiguous) == ((), (0,))


def test_two_masks_for_one_image_are_refused_by_name() -> None:
    with pytest.raises(MaskMismatch, match=r"a\.jpg: a\.png and a\.jpg\.png"):
        matched(["a.png", "a.jpg.png"], [("a.jpg", 1)], PNG)


def test_planes_are_found_by_their_number() -> None:
    assert targets(["v_p0001.png", "v.png"], ("v.tif", 2)) == {"v_p0001.png": ("v.tif", 1)}


def test_folders_called_like_masks_and_like_images_are_one_place() -> None:
    assert targets(["train/masks/a.png", "val/masks/a.png"], "train/images/a.jpg", "val/images/a.jpg") == {
        "train/masks/a.png": ("train/images/a.jpg", 0),
        "val/masks/a.png": ("val/images/a.jpg", 0),
    }
    assert targets(["SegmentationClass/a.png"], "JPEGImages/a.jpg") == {
        "SegmentationClass/a.png": ("JPEGImages/a.jpg", 0)
    }
    assert targets(["train_masks/a.png"], "train_images/a.jpg", "val_images/a.jpg") == {
        "train_masks/a.png": ("train_images/a.jpg", 0)
    }
    assert targets(["dapi/a.png"], "gfp/a.jpg") == {}


def test_the_folder_parallel_to_that_of_the_masks_tells_equal_names_apart() -> None:
    images = [("train/images/a.jpg", 1), ("val/images/a.jpg", 1), ("a.jpg", 1)]
    places = Places(["/ds/val/masks/a.png"], [f"/ds/{path}" for path, _ in images])
    assert matched(["a.png"], images, PNG, places).pairs == ((0, 1, 0),)
    elsewhere = Places(["/other/masks/a.png"], places.images)
    assert matched(["a.png"], images, PNG, elsewhere).pairs == ((0, 2, 0),)


def test_an_export_below_the_images_is_read_by_the_names_that_it_gave() -> None:
    images = [("a.jpg", 1), ("train/images/a.jpg", 1)]
    masks = ["a.png", "train/images/a.png"]
    places = Places(
        [f"/ds/train/masks/{name}" for name in masks], [f"/ds/{path}" for path, _ in images], exported=frozenset({0, 1})
    )
    assert matched(masks, images, PNG, places).pairs == ((0, 0, 0), (1, 1, 0))


def test_a_file_is_never_the_mask_of_itself_but_of_its_neighbour() -> None:
    images = [("p1.jpg", 1), ("p1.png", 1)]
    assert matched(["p1.png"], images, PNG).pairs == ((0, 1, 0),)
    assert matched(["p1.png"], images, PNG, Places(itself={0: 1})).pairs == ((0, 0, 0),)


def test_a_pattern_says_how_masks_are_called() -> None:
    images = [("x/a.jpg", 1), ("x/b.jpg", 1), ("v.tif", 2)]
    found = matched(
        ["x/a_Mask.png", "x/b.png", "v_p0001_mask.png", "_mask.png"], images, PNG, None, StemPattern("{stem}_mask")
    )
    assert found.pairs == ((0, 0, 0), (2, 2, 1))
    assert found.unmatched == (1, 3)
    folders = matched(["a/mask.png", "b/mask.png"], images, PNG, None, StemPattern("{stem}/mask.png"))
    assert folders.pairs == ((0, 0, 0), (1, 1, 0))
    for wrong in ("mask", "{stem}{stem}", ""):
        with pytest.raises(UsageError, match="pattern"):
            StemPattern(wrong)


folders = st.lists(st.sampled_from(["x", "y", "masks", "images", "train_masks"]), max_size=3).map(tuple)


@given(st.lists(st.tuples(folders, st.sampled_from("ab")), unique=True, max_size=6), folders, st.sampled_from("ab"))
def test_folders_are_looked_up_without_missing_one_that_fits(
    drawn: list[tuple[tuple[str, ...], str]], folder: tuple[str, ...], stem: str
) -> None:
    images = [("/".join((*inner, f"{name}.jpg")), 1) for inner, name in drawn]
    mask = "/".join((*folder, f"{stem}.png"))
    places = Places([f"/ds/{mask}"], [f"/ds/{path}" for path, _ in images])
    found = matched([mask], images, PNG, places)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(naming, "_candidates", lambda plain, index: index.get((plain[-1], None), ()))
        assert matched([mask], images, PNG, places) == found


def test_thousands_of_equal_names_are_told_apart_by_their_folders() -> None:
    cases = range(3000)
    images = [(f"case{n}/images/slice.jpg", 1) for n in cases]
    masks = [f"case{n}/masks/slice.png" for n in cases]
    assert matched(masks, images, PNG).pairs == tuple((n, n, 0) for n in cases)
