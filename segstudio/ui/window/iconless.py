"""Which actions have no icon: every other one has a drawing."""

__all__ = ["ICONLESS"]

ICONLESS = {
    "add-new-images": "a check mark stands in the icon's place",
    "new-object": "a check mark stands in the icon's place",
    "lock-objects": "a check mark stands in the icon's place",
    "smaller": "listed for its key; the brush panel has a slider",
    "bigger": "listed for its key; the brush panel has a slider",
    "keep-learning": "a check mark stands in the icon's place",
    "keyboard-cursor": "a check mark stands in the icon's place",
    "show-proposals": "a check mark stands in the icon's place",
    "show-confidence": "a check mark stands in the icon's place",
    "show-differences": "a check mark stands in the icon's place",
    "blink": "a check mark stands in the icon's place",
    "show-labels": "a check mark stands in the icon's place",
    "tint-objects": "a check mark stands in the icon's place",
    "pixel-grid": "a check mark stands in the icon's place",
    "minimap": "a check mark stands in the icon's place",
    "show-outlines": "the class panel shows which of the three it is",
    "solo": "the eyes in the class panel show it",
    "show-side": "a check mark stands in the icon's place",
    "show-bottom": "a check mark stands in the icon's place",
    "images-beside": "a check mark stands in the icon's place",
    "panels-left": "a check mark stands in the icon's place",
    "reset-panels": "words are enough beside three check marks",
    "rest-proposal": "a check mark stands in the icon's place",
    "rest-background": "a check mark stands in the icon's place",
    "rest-unknown": "a check mark stands in the icon's place",
    "versions": "a check mark stands in the icon's place",
    "keys": "words are enough in a menu of two",
    "about": "words are enough in a menu of two",
    **{f"class-{n}": "the class's colour is its icon" for n in range(1, 10)},
}
"""Actions without a drawing of their own, and why."""
