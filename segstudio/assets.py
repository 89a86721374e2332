"""Where the files shipped with the program are: models, icons, the sample.

In an installed wheel they are inside the package, in a checkout beside it.
"""

from pathlib import Path

__all__ = ["asset"]


def asset(*parts: str) -> Path:
    """Path of a shipped file or folder, for example ``asset("models", "base.safetensors")``; it need not exist."""
    package = Path(__file__).parent
    inside = package / "resources"
    root = inside if inside.is_dir() else package.parent / "resources"
    return root.joinpath(*parts)
