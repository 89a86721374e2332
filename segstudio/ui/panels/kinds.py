"""The kinds of class in words, as menus and forms offer them."""

from segstudio.labels.model import Kind
from segstudio.text import N_

__all__ = ["KINDS", "KIND_NAMES", "KIND_TIPS"]

KINDS = (
    (Kind.SEMANTIC, N_("One region per image (semantic)")),
    (Kind.INSTANCE, N_("Separate objects (instance)")),
    (Kind.IGNORE, N_("Ignored")),
)
"""The kinds that a person can choose; every project already has background."""

KIND_NAMES = {
    Kind.BACKGROUND: N_("background"),
    Kind.SEMANTIC: N_("semantic"),
    Kind.INSTANCE: N_("instance"),
    Kind.IGNORE: N_("ignored"),
}
"""The kind of a class in one word."""

KIND_TIPS = {
    Kind.SEMANTIC: N_("All its pixels in an image belong together: road, tissue, sky"),
    Kind.INSTANCE: N_("Each part is a separate object, counted and exported as one: nucleus, car, leaf"),
    Kind.IGNORE: N_("Not learned from, measured or exported: glare, captions, regions that nobody can identify"),
}
