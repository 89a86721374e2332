"""What is shipped, and what the documents promise about it."""

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import segstudio
from segstudio.assets import asset

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ICONS = sorted(path for path in asset("icons").glob("*.svg") if path.stem != "segstudio")


# --- metadata --------------------------------------------------------------------------------------------------------


def test_the_package_and_its_metadata_tell_the_same_version() -> None:
    assert segstudio.__version__ == PROJECT["version"]


def test_the_changelog_has_a_section_for_this_version() -> None:
    assert f"\n## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_binding_that_miscounts_none_is_excluded() -> None:
    assert any("PySide6" in line and "!=6.12.0" in line for line in PROJECT["dependencies"])


def test_every_dependency_has_a_lower_bound_and_is_in_the_lock() -> None:
    locked = dict(
        line.strip().split("==")
        for line in (ROOT / "packaging" / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    )
    for requirement in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]]:
        name, bound = re.fullmatch(r"([A-Za-z0-9-]+)>=([0-9.]+)(?:,.*)?", requirement).groups()
        assert _numbers(locked[name.lower()]) >= _numbers(bound), requirement


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


# --- README ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/segstudio --demo",
        'python3 -m venv .venv && .venv/bin/pip install ".[test]" && .venv/bin/python -m pytest',
    ],
)
def test_the_readme_gives_the_command_on_a_line_of_its_own(command: str) -> None:
    assert command in README.splitlines()


def test_links_between_documents_lead_somewhere() -> None:
    for document in _documents():
        for target in re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8")):
            if not target.startswith(("https://", "http://")):
                assert (document.parent / target).exists(), f"{document.relative_to(ROOT)} links to {target}"


def _documents() -> list[Path]:
    folders = (ROOT / "docs").rglob("*.md"), (ROOT / "packaging").glob("*.md"), ROOT.glob("*.md")
    return sorted(path for found in folders for path in found)


def test_no_file_names_a_place_that_packages_come_from_or_a_folder_of_one_machine() -> None:
    places = re.compile(rb"pypi\.org|--(extra-)?index-url|file:///|(?<![\w.])/(root|home|work|Users)/\w")
    pictures = (".png", ".jpg", ".safetensors")
    for path in (p for p in _tracked() if p.suffix not in pictures and p != Path(__file__)):
        found = places.search(path.read_bytes())
        assert found is None, f"{path.relative_to(ROOT)}: {found.group().decode()}"


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    folders = ("segstudio", "resources", "tests", "packaging", "docs", "training", "benchmarks")
    return [
        path
        for name in folders
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in str(path)
    ]


# --- sample ----------------------------------------------------------------------------------------------------------


def _projects(sample_dir: Path) -> list[dict[str, Any]]:
    return json.loads((sample_dir / "sample.json").read_text(encoding="utf-8"))["projects"]


def _pixels(path: Path) -> NDArray[np.float32]:
    """Green, which shows vessels best, or grey."""
    with Image.open(path) as image:
        pixels = np.asarray(image, np.float32)
    return pixels[..., 1] if pixels.ndim == 3 else pixels


def test_the_sample_weighs_at_most_a_megabyte(sample_dir: Path) -> None:
    assert sum(path.stat().st_size for path in sample_dir.rglob("*") if path.is_file()) <= 1_000_000


@pytest.mark.parametrize("place", [0, 1])
def test_each_project_of_the_sample_has_six_fields_whose_masks_fit_and_hold_both_classes(
    sample_dir: Path, place: int
) -> None:
    project = _projects(sample_dir)[place]
    values = {int(c["value"]) for c in project["classes"]}
    assert len(project["fields"]) >= 6
    for field in project["fields"]:
        with Image.open(sample_dir / field["image"]) as image, Image.open(sample_dir / field["mask"]) as mask:
            assert mask.mode == "P"
            assert mask.size == image.size
            assert set(np.unique(np.asarray(mask)).tolist()) == values


@pytest.mark.parametrize(("place", "step"), [(0, -5), (1, 40)])
def test_in_the_sample_the_object_stands_out_from_what_is_around_it(sample_dir: Path, place: int, step: float) -> None:
    """A mask that slipped, or was mixed up with another field's, would not show this at its own rim."""
    import cv2

    for field in _projects(sample_dir)[place]["fields"]:
        image = _pixels(sample_dir / field["image"])
        mask = np.asarray(Image.open(sample_dir / field["mask"]))
        inner = mask - cv2.erode(mask, np.ones((3, 3), np.uint8), borderValue=1)
        outer = cv2.dilate(mask, np.ones((3, 3), np.uint8), borderValue=0) - mask
        gain = image[inner == 1].mean() - image[outer == 1].mean()
        assert gain / step > 1, (field["image"], gain)


def test_every_picture_of_the_sample_is_listed_and_has_its_licence_said(sample_dir: Path) -> None:
    projects = _projects(sample_dir)
    fields = [field for project in projects for field in project["fields"]]
    play = [picture for project in projects for picture in project["play"]]
    listed = {f["image"] for f in fields} | {f["mask"] for f in fields} | set(play)
    there = {p.relative_to(sample_dir).as_posix() for p in sample_dir.rglob("*") if p.suffix in (".png", ".jpg")}
    assert listed == there
    licences = (sample_dir / "LICENCES.md").read_text(encoding="utf-8")
    for name in (*(f"{p['name']}/{part}/" for p in projects for part in ("images", "masks")), *play):
        assert name in licences


# --- icons -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ICONS, ids=lambda path: path.stem)
def test_an_icon_stands_on_the_grid_and_takes_the_colour_it_is_given(path: Path) -> None:
    drawn = ElementTree.parse(path).getroot()
    assert drawn.get("viewBox") == "0 0 16 16"
    colours = {value for part in drawn.iter() for key, value in part.attrib.items() if key in ("stroke", "fill")}
    assert colours <= {"currentColor", "none"}
    assert "currentColor" in colours


@pytest.mark.parametrize("size", [16, 24, 32, 48, 64, 128, 256, 512])
def test_the_programs_icon_is_there_in_the_sizes_of_a_desktop(size: int) -> None:
    with Image.open(asset("icons", "png", f"segstudio-{size}.png")) as icon:
        assert icon.size == (size, size)


def test_the_desktop_entry_starts_the_command_and_names_the_icon() -> None:
    lines = (ROOT / "packaging" / "segstudio.desktop").read_text(encoding="utf-8").splitlines()
    assert "Exec=segstudio %F" in lines
    assert "Icon=segstudio" in lines
