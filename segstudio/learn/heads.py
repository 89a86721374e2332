"""Which slice of the embedded model's head matches the classes of a project, by their names only. Pure values, no
torch.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

__all__ = ["FOREGROUND", "Head", "HeadMatch", "canonical", "is_background_name", "match_heads"]

FOREGROUND = "foreground"
FINDABLE_IOU = 0.25  # a class that the model finds worse than this on held-out pictures is no reason to choose a head

_IRREGULAR = {
    "nuclei": "nucleus",
    "leaves": "leaf",
    "mitochondria": "mitochondrion",
    "houses": "house",
    "diseases": "disease",
    "fissures": "fissure",
    "fractures": "fracture",
    "trees": "tree",
}
_SYNONYMS = {
    "cell": "nucleus",
    "house": "building",
    "roof": "building",
    "street": "road",
    "tree": "vegetation",
    "forest": "vegetation",
    "lake": "water",
    "river": "water",
    "sea": "water",
    "fracture": "crack",
    "fissure": "crack",
    "artery": "vessel",
    "vein": "vessel",
    "lesion": "symptom",
    "disease": "symptom",
    "particle": "precipitate",
}
_SHARED = {
    "building",
    "crack",
    "disc",
    "head",
    "leaf",
    "object",
    "precipitate",
    "road",
    "root",
    "symptom",
    "tissue",
    "tumor",
    "tumour",
    "vegetation",
    "vessel",
    "water",
}
"""Words, as `canonical` gives them, that mean different things to different fields: a vessel of a retina is not one of
an ultrasound picture, a lesion of the skin is no symptom of a leaf."""
_BACKGROUND = {"background", "matrix", "land", "ground", "soil", "rest", "other", "none", "bg", "backgr"}


class Head(msgspec.Struct, frozen=True):
    """A slice of the embedded model's output: its training set, class names, channels [from, to), and facts.

    The words of `set` and `domain` name its field. `grey` says that the set had grey pictures only. `iou` is each
    class's IoU on held-out pictures, empty where not measured.
    """

    set: str
    domain: str
    classes: tuple[str, ...]
    channels: tuple[int, int]
    grey: bool
    iou: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class HeadMatch:
    """The slice [start, stop) to use for a project, and what each of its channels means there.

    `to_class[i]` is the place in the project's class list of channel `start + i`, None if the project has nothing
    for it. `from_channel[k]` is the channel (absolute) for the project's class k, None if the slice has nothing
    for it.
    """

    set: str
    start: int
    stop: int
    to_class: tuple[int | None, ...]
    from_channel: tuple[int | None, ...]


def canonical(name: str) -> tuple[str, ...]:
    """The words of a class name, lower case, singular, each synonym replaced by the word the embedded model knows."""
    words = re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())
    return tuple(_SYNONYMS.get(word, word) for word in map(_singular, words))


def is_background_name(name: str) -> bool:
    """Whether a class of this name is what remains without the objects."""
    words = canonical(name)
    return bool(words) and words[0] in _BACKGROUND and len(words) == 1


def match_heads(names: Sequence[str], heads: Sequence[Head], *, background: int | None, grey: bool | None) -> HeadMatch:
    """The head of `heads` that finds most classes of a project, else the one named `foreground`.

    `names` are the project's classes in their order; `background` the place of its background class, if none is given
    a class named like one (soil, matrix); `grey` whether its images are grey, which decides between heads that match
    equally well (None: not known). Background names do not count, nor do classes that the head hardly finds on
    held-out pictures, nor a single class whose name many fields share, unless a word of the head's field stands beside
    it. With `foreground`, the first class that is not the background is the object.
    """
    if background is None:
        background = next((k for k, name in enumerate(names) if is_background_name(name)), None)
    best, best_rank = None, (0, False)
    for head in heads:
        pairs = _pairs(names, head, background)
        findable = sum(not head.iou or head.iou[i] >= FINDABLE_IOU for i in pairs.values())
        rank = (findable, grey is not None and head.grey == grey)
        if head.set != FOREGROUND and findable and rank > best_rank and _is_its_field(names, head, pairs):
            best, best_rank = head, rank
    if best is not None:
        return _match(names, best, _pairs(names, best, background), background)
    general = next(head for head in heads if head.set == FOREGROUND)
    first = next((k for k in range(len(names)) if k != background), None)
    return _match(names, general, {} if first is None else {first: 1}, background)


def _singular(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _pairs(names: Sequence[str], head: Head, background: int | None) -> dict[int, int]:
    """Project class -> class of the head, for those that are not background and whose names match; each used once."""
    found: dict[int, int] = {}
    for exact in (True, False):
        for k, name in enumerate(names):
            if k == background or k in found:
                continue
            for i, other in enumerate(head.classes):
                if i not in found.values() and not is_background_name(other) and _fits(name, other, exact):
                    found[k] = i
                    break
    return found


def _is_its_field(names: Sequence[str], head: Head, pairs: Mapping[int, int]) -> bool:
    """Whether the classes that match tell the field of a head: two of them do, one whose name is of that field alone,
    or one beside a word of the field, as in 'coffee leaf'.
    """
    common = set[str]()
    for k, i in pairs.items():
        common |= set(canonical(names[k])) & set(canonical(head.classes[i]))
    if len(pairs) > 1 or not common <= _SHARED:
        return True
    return bool(({word for name in names for word in canonical(name)} - common) & _field(head))


def _field(head: Head) -> set[str]:
    return {*canonical(head.set.replace("_", " ")), *canonical(head.domain)}


def _fits(name: str, other: str, exact: bool) -> bool:
    a, b = canonical(name), canonical(other)
    if exact or not a or not b:
        return a == b and bool(a)
    return a[-1] == b[-1] and (set(a) <= set(b) or set(b) <= set(a))


def _match(names: Sequence[str], head: Head, pairs: dict[int, int], background: int | None) -> HeadMatch:
    """Channels of the head without a class mean background, if the project has one."""
    start, stop = head.channels
    to_class: list[int | None] = [background] * (stop - start)
    from_channel: list[int | None] = [None] * len(names)
    for k, i in pairs.items():
        to_class[i] = k
        from_channel[k] = start + i
    if background is not None and 0 not in pairs.values():
        from_channel[background] = start  # every head's first class is what remains without its objects
    return HeadMatch(head.set, start, stop, tuple(to_class), tuple(from_channel))
