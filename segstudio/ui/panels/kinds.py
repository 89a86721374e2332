"""The kinds of class in words, as menus and forms offer them."""

from segstudio.labels.model import Kind

__all__ = ["KINDS", "KIND_TIPS"]

KINDS = (
    (Kind.SEMANTIC, "One region per image (semantic)"),
    (Kind.INSTANCE, "Separate objects (instance)"),
    (Kind.IGNORE, "Ignored"),
)
"""The kinds that a person can choose; background is there already."""

KIND_TIPS = {
    Kind.SEMANTIC: "All its pixels in an image belong together: road, tissue, sky",
    Kind.INSTANCE: "Each part is an object of its own, counted and exported as one: nucleus, car, leaf",
    Kind.IGNORE: "Neither learned from nor measured nor exported: glare, a caption, what nobody can tell",
}
