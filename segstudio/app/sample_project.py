"""The sample as a person's own project."""

from pathlib import Path

__all__ = ["demo_project"]


def demo_project(folder: Path | None = None) -> Path:
    """A fresh copy of the sample's images as a project, in the user's data folder unless another is named."""
    from segstudio.tasks.sample import make_demo_project

    if folder is None:
        from platformdirs import user_data_path

        folder = user_data_path("segstudio", appauthor=False) / "demo"
    return make_demo_project(folder)
