"""Folders as people have them: order, names that are no text, what may not be read, what is no image."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from segstudio.errors import UnreadableImage, UserError
from segstudio.store.project import Project
from segstudio.tasks.images.new import NewReport, new_project
from segstudio.tasks.images.scan import found_files, natural_key
from segstudio.tasks.progress import finished
from tests.tasks.pictures import picture

posix = pytest.mark.skipif(sys.platform == "win32", reason="file names of Windows are text, and it has no pipes")


def made(path: Path, *images: Path | str) -> NewReport:
    return finished(new_project(path, [str(image) for image in images], []))


def paths(report: NewReport) -> list[str]:
    with Project.open(report.path, write=False) as project:
        return [image.path for image in project.images()]


def skipped(report: NewReport) -> dict[str, str]:
    return {Path(file.path).name: file.reason.word for file in report.skipped_files}


def test_numbers_in_names_are_counted_not_spelled(tmp_path: Path) -> None:
    for n, name in enumerate(("img_10.png", "img_2.png", "img_1.png", "b/z_3.png", "b10/a.png", "B2/a.png")):
        picture(tmp_path / "in" / name, n)
    in_order = ["b/z_3.png", "B2/a.png", "b10/a.png", "img_1.png", "img_2.png", "img_10.png"]
    assert paths(made(tmp_path / "1", tmp_path / "in")) == in_order
    assert paths(made(tmp_path / "2", f"{tmp_path}/in/img_*.png")) == ["img_1.png", "img_2.png", "img_10.png"]


def test_files_that_are_named_stay_in_the_order_given(tmp_path: Path) -> None:
    files = [picture(tmp_path / "in" / f"img_{n}.png", n) for n in (10, 2, 1)]
    assert paths(made(tmp_path / "p", *files)) == ["img_10.png", "img_2.png", "img_1.png"]


def test_equal_numbers_are_told_apart() -> None:
    names = ["a1.png", "a01.png", "A1.png", "a1/x.png"]
    backwards = names[::-1]
    assert sorted(names, key=natural_key) == sorted(backwards, key=natural_key)


@pytest.fixture
def odd(tmp_path: Path) -> bytes:
    """A folder of one good picture and one whose name is Latin-1."""
    picture(tmp_path / "in/good.png", 1)
    name = os.fsencode(tmp_path / "in") + b"/caf\xe9.png"
    with open(name, "wb") as file:
        file.write((tmp_path / "in/good.png").read_bytes())
    return name


@posix
def test_a_name_that_is_no_utf_8_is_passed_over_with_a_word(tmp_path: Path, odd: bytes) -> None:
    report = made(tmp_path / "p", tmp_path / "in")
    assert paths(report) == ["good.png"]
    assert skipped(report) == {"caf\\xe9.png": "its name is not valid UTF-8"}
    assert paths(made(tmp_path / "q", f"{tmp_path}/in/*.png")) == ["good.png"]


@posix
def test_a_folder_whose_name_is_no_utf_8_is_passed_over_too(tmp_path: Path) -> None:
    picture(tmp_path / "in/good.png", 1)
    os.mkdir(os.fsencode(tmp_path / "in") + b"/\xff")
    assert list(skipped(made(tmp_path / "p", tmp_path / "in"))) == ["\\xff"]


@posix
def test_named_it_is_refused_in_a_sentence_that_can_be_printed(tmp_path: Path, odd: bytes) -> None:
    with pytest.raises(UnreadableImage, match="not valid UTF-8") as caught:
        made(tmp_path / "p", os.fsdecode(odd))
    assert "caf\\xe9.png" in caught.value.line
    caught.value.line.encode()
    assert not (tmp_path / "p.segstudio").exists()


@posix
def test_pipes_sockets_and_devices_are_never_opened(tmp_path: Path) -> None:
    picture(tmp_path / "in/good.png", 1)
    os.mkfifo(tmp_path / "in/pipe.png")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "in/s"))
    (tmp_path / "in/null.png").symlink_to("/dev/null")
    (tmp_path / "in/nowhere.png").symlink_to(tmp_path / "gone.png")
    report = made(tmp_path / "p", tmp_path / "in")
    assert paths(report) == ["good.png"]
    assert sorted(skipped(report)) == ["nowhere.png", "null.png", "pipe.png", "s"]
    for name in ("pipe.png", "s", "null.png"):
        with pytest.raises(UnreadableImage, match="not a plain file"):
            made(tmp_path / "q", tmp_path / "in" / name)


def test_hidden_files_and_what_systems_put_beside_images_are_none(tmp_path: Path) -> None:
    picture(tmp_path / "in/good.png", 1)
    for name in (
        "._good.png",
        "__MACOSX/x.png",
        "$RECYCLE.BIN/x.png",
        "System Volume Information/x.png",
        "@eaDir/x.png",
    ):
        picture(tmp_path / "in" / name, 2)
    (tmp_path / "in/Thumbs.db").write_bytes(b"\xd0\xcf")
    report = made(tmp_path / "p", tmp_path / "in")
    assert (paths(report), report.skipped) == (["good.png"], 0)
    assert paths(made(tmp_path / "q", f"{tmp_path}/in/**/*.png")) == ["good.png"]


def test_skipped_files_are_named_with_their_reason(tmp_path: Path) -> None:
    picture(tmp_path / "in/good.png", 1)
    (tmp_path / "in/scan.psd").write_bytes(b"8BPS" + bytes(128) + bytes(100))
    (tmp_path / "in/cells.czi").write_bytes(b"ZISRAWFILE")
    (tmp_path / "in/notes.txt").write_text("hello")
    (tmp_path / "in/cut.png").write_bytes((tmp_path / "in/good.png").read_bytes()[:20])
    found = skipped(made(tmp_path / "p", tmp_path / "in"))
    assert found["scan.psd"] == "Photoshop: not supported yet"
    assert found["cells.czi"] == "CZI: not supported yet"
    assert found["notes.txt"] == "no image"
    assert found["cut.png"].startswith("it cannot be read")


def test_a_refusal_names_what_can_be_read(tmp_path: Path) -> None:
    for name, content in (("scan.psd", b"8BPS" + bytes(128)), ("notes.txt", b"hello")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UnreadableImage, match=name) as caught:
            made(tmp_path / "p", tmp_path / name)
        assert "SegStudio reads PNG, JPEG, TIFF, WebP, GIF, NumPy (.npy), BMP, JPEG 2000," in caught.value.line
        assert "NRRD and MetaImage." in caught.value.line
    (tmp_path / "in").mkdir()
    (tmp_path / "in/scan.psd").write_bytes(b"8BPS" + bytes(128))
    with pytest.raises(UserError, match="1 Photoshop file: not supported yet") as refused:
        made(tmp_path / "p", tmp_path / "in")
    assert "SegStudio reads PNG" in refused.value.line


@posix
def test_links_in_a_circle_and_names_too_long_are_sentences(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to(tmp_path / "round")
    for given in (tmp_path / "round" / "x.png", tmp_path / ("n" * 300)):
        with pytest.raises(UserError):
            found_files([str(given)])


_AS_NOBODY = """
import os, sys
from segstudio.cli.main import entry
from segstudio.cli.trouble import report_bug
# All that is imported later must be there: nobody may not even read Python itself, where root alone has it.
warm = sys.argv[1]
assert entry(["new", warm + "/w", "--images", warm + "/in/good.png"]) == 0
assert entry(["info", warm + "/w"]) == 0
sys.excepthook = report_bug
os.setgroups([]); os.setgid(65534); os.setuid(65534)
sys.exit(entry(sys.argv[2:]))
"""


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that another user may enter and write to; pytest's own may not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


@posix
@pytest.mark.skipif(os.geteuid() != 0 if hasattr(os, "geteuid") else True, reason="needs the right to become nobody")
def test_a_folder_that_may_not_be_entered_is_named_and_passed_over(open_to_all: Path) -> None:
    tmp_path = open_to_all
    picture(tmp_path / "in/good.png", 1)
    picture(tmp_path / "in/shut/x.png", 2)
    (tmp_path / "in/shut").chmod(0o700)

    def as_nobody(*arguments: object) -> "subprocess.CompletedProcess[str]":
        shutil.rmtree(tmp_path / "w.segstudio", ignore_errors=True)
        command = [sys.executable, "-c", _AS_NOBODY, str(tmp_path), *map(str, arguments)]
        environment = {**os.environ, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    done = as_nobody("new", tmp_path / "p", "--images", tmp_path / "in")
    assert done.returncode == 0, done.stderr
    assert "1 folder may not be entered" in done.stderr
    refused = as_nobody("new", tmp_path / "q", "--images", tmp_path / "in/shut/x.png")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "no permission for a folder" in refused.stderr
    project = as_nobody("info", tmp_path / "in/shut/p.segstudio")
    assert (project.returncode, project.stderr.count("\n")) == (1, 1)
    assert "bug" not in project.stderr
