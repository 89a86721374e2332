"""Which files a person can choose as images: the patterns for a file dialog, from the table of readers."""

__all__ = ["image_patterns"]


def image_patterns() -> tuple[str, ...]:
    """`*.png` and so on: every ending that a reader usually has, in the order of the table."""
    from segstudio.imaging.readers.table import FAMILIES

    return tuple(f"*{ending}" for family in FAMILIES.rows for ending in family.extensions)
