"""Images of microscopes in a project: files that are one image, and what is known of them without opening one."""

from pathlib import Path

import numpy as np

from segstudio.imaging.source import open_stored
from segstudio.store.project import Project
from segstudio.tasks.images.info import info
from segstudio.tasks.images.new import new_project
from segstudio.tasks.progress import finished
from tests.imaging.microscope_files import noise, ome_set, slide

NAMES = ["a_dapi.ome.tif", "a_gfp.ome.tif", "a_rfp.ome.tif"]


def made(folder: Path, *given: Path) -> Project:
    path = folder / "p.segstudio"
    finished(new_project(path, [str(each) for each in given], []))
    return Project.open(path)


def test_the_files_of_an_ome_image_are_one_image(tmp_path: Path) -> None:
    (tmp_path / "data" / "cells").mkdir(parents=True)
    stack = noise(3, 2, 20, 30)
    ome_set(tmp_path / "data" / "cells", stack, NAMES)
    slide(tmp_path / "data" / "b.svs", np.zeros((80, 80, 3), np.uint8))
    with made(tmp_path, tmp_path / "data") as project:
        scan, cells = project.images()
        assert [scan.path, cells.path] == ["b.svs", "cells"]
        assert np.array_equal(open_stored(cells.stored).read(plane=1), stack[:, 1].transpose(1, 2, 0))
        told = {image["path"]: image for image in info(project)["images"]}
        assert told["cells"]["channel_names"] == ["dye 0", "dye 1", "dye 2"]
        assert (told["cells"]["axes"], told["cells"]["spacing"], told["cells"]["unit"]) == ("zyx", [0.5, 0.5], "µm")
        assert (told["b.svs"]["spacing"], told["b.svs"]["personal"]) == ([0.499, 0.499], True)
