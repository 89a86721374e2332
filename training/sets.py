"""The open training sets, packed into memory once: pictures, class masks, and which groups are held out.

Only the folders of `train/` are named here. The sets kept for evaluation and for click tests are never read.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

UNKNOWN = 255
HELD_OUT_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Recipe:
    """What this training knows of a set beside its card.

    `foreground`: the class values that the general foreground head learns as objects. Empty: the set teaches that
    head nothing, because its structures do not stand out without knowledge of the field (a nerve in ultrasound; the
    last row of melt pools among many alike), and would teach it to mark at random. `rest_is_background`: the other
    classes are background for it. `block`: neighbouring stems that count as one group where the card names none.
    `invert`: share of patches shown as negatives.
    """

    folder: str
    foreground: tuple[int, ...]
    block: int = 1
    invert: float = 0.0


RECIPES = (
    Recipe("aerial_dubai", foreground=(1,)),  # buildings are objects; land, road, vegetation and water are surfaces
    Recipe("coating_cracks_sem", foreground=(1, 2)),
    Recipe("coffee_leaves", foreground=(1, 2)),
    Recipe("melt_pools", foreground=()),
    Recipe("nuclei_fluorescence", foreground=(1,), invert=0.15),
    Recipe("nuclei_tissue", foreground=(1,), invert=0.1),
    Recipe("superalloy_sem", foreground=(1, 2)),
    Recipe("ultrasound_nerves", foreground=(), block=10),
)


@dataclass(frozen=True, slots=True)
class Picture:
    """One image (H, W, 3) of bytes and its class values (H, W), 255 = unknown."""

    stem: str
    image: np.ndarray
    mask: np.ndarray


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """A set in memory, its classes by value, and its pictures on the two sides of the split."""

    name: str
    domain: str
    classes: tuple[str, ...]
    licence: str
    source: str
    recipe: Recipe
    grey: bool
    object_px: float
    train: tuple[Picture, ...]
    held_out: tuple[Picture, ...]


def load_all(data: Path, seed: int) -> list[TrainingSet]:
    """Every set of `data`/train, in the order of the table."""
    return [_load(data / "train" / recipe.folder, recipe, seed) for recipe in RECIPES]


def _load(folder: Path, recipe: Recipe, seed: int) -> TrainingSet:
    from PIL import Image

    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    instances = card["kind"] == "instance"
    pictures, sizes = [], []
    for path in sorted((folder / "images").iterdir()):
        with Image.open(path) as file:
            image = np.asarray(file.convert("RGB"))
        with Image.open(folder / "masks" / f"{path.stem}.png") as file:
            values = np.asarray(file)
        if values.shape != image.shape[:2]:
            raise ValueError(f"{path.name}: the mask has another size")
        sizes += _object_sizes(values, instances)
        pictures.append(Picture(path.stem, image, (np.minimum(values, 1) if instances else values).astype(np.uint8)))
    held = _held_out([p.stem for p in pictures], card.get("groups") or {}, recipe, seed)
    return TrainingSet(
        name=recipe.folder,
        domain=card["domain"],
        classes=tuple(c["name"] for c in sorted(card["classes"], key=lambda c: c["value"])),
        licence=card["licence"]["name"],
        source=card["source"]["repository"],
        recipe=recipe,
        grey=card["channels"] == 1,
        object_px=float(np.median(sizes)),
        train=tuple(p for p in pictures if p.stem not in held),
        held_out=tuple(p for p in pictures if p.stem in held),
    )


def _object_sizes(values: np.ndarray, instances: bool) -> list[float]:
    """Square roots of the areas of a picture's objects in pixels: instances, or connected parts of each class but the
    first.
    """
    import cv2

    if instances:
        areas = np.bincount(values.ravel())[1:]
        return [float(a) ** 0.5 for a in areas if a >= 9]
    found = []
    for value in np.unique(values):
        if value not in (0, UNKNOWN):
            _, _, stats, _ = cv2.connectedComponentsWithStats((values == value).astype(np.uint8), connectivity=8)
            found += [float(a) ** 0.5 for a in stats[1:, cv2.CC_STAT_AREA] if a >= 9]
    return found


def _held_out(stems: list[str], groups: dict[str, str], recipe: Recipe, seed: int) -> set[str]:
    """Stems kept out of training: whole groups, drawn at random until about 15 % of the pictures are reached."""
    group_of = {stem: groups.get(stem) or f"block {place // recipe.block}" for place, stem in enumerate(sorted(stems))}
    names = sorted(set(group_of.values()))
    np.random.default_rng([seed, len(stems)]).shuffle(names)
    held: set[str] = set()
    for name in names:
        if len(held) >= HELD_OUT_SHARE * len(stems) - 1:
            break
        held |= {stem for stem, group in group_of.items() if group == name}
    return held
