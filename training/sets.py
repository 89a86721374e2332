"""The open training sets: what each one labels, what it leaves unknown, and which whole groups are held out.

Only the folders of `train/` are named here. The sets kept for evaluation and for click tests are never read. Pixels
are packed by `pack.py`; this module decides what they mean.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

UNKNOWN = 255
SPLIT_SEED = 7  # fixed: the weights that a leg begins from have seen everything that this seed does not hold out
HELD_OUT_SHARE = 0.15
LARGEST_SHARE = 0.3  # of a set, that one group may hold out where there are smaller ones
RIM_PX = 2  # coarse polygons: neither object nor ground this near to their outline
FIRST = 8  # sets of the first base, whose mean is compared over the years


@dataclass(frozen=True, slots=True)
class Recipe:
    """What this training knows of a set beside its card.

    `objects` and `ground`: the class values that are 1 and 0 for the general foreground head; all others are unknown to
    it. Both empty: the set teaches that head nothing, because its structures do not stand out without knowledge of the
    field (a nerve in ultrasound; the last row of melt pools among many alike). `weight`: of its losses, below 1 where
    labels are derived or coarse. `turns`: how often it comes while another set comes once. `smallest`: the least scale;
    1.5-px lines do not survive 0.4. `upright`: top and bottom mean something, so it is rarely turned. `near_px`: ground
    is known only this near to a labelled object, because further away lie objects that nobody labelled. `block`:
    neighbouring stems that count as one group where the card names none. `invert`: share of pairs shown as negatives.
    """

    folder: str
    objects: tuple[int, ...] = ()
    ground: tuple[int, ...] = ()
    weight: float = 1.0
    turns: int = 1
    smallest: float = 0.4
    upright: bool = False
    near_px: int = 0
    block: int = 1
    invert: float = 0.05


RECIPES = (
    # Buildings are objects; land, road, vegetation and water are surfaces.
    Recipe("aerial_dubai", objects=(1,), ground=(0, 2, 3, 4), turns=3, smallest=0.6, invert=0.0),
    Recipe("coating_cracks_sem", objects=(1, 2), ground=(0,), turns=2, smallest=0.7, invert=0.1),
    Recipe("coffee_leaves", objects=(1, 2), ground=(0,)),
    Recipe("melt_pools", invert=0.1),
    Recipe("nuclei_fluorescence", objects=(1,), ground=(0,), invert=0.15),
    Recipe("nuclei_tissue", objects=(1,), ground=(0,), smallest=0.6, invert=0.1),
    Recipe("superalloy_sem", objects=(1, 2), ground=(0,), smallest=0.6, invert=0.1),
    Recipe("ultrasound_nerves", turns=3, upright=True, block=10),
    Recipe("axon_sem", objects=(1, 2), ground=(0,), invert=0.15),
    Recipe("breast_ultrasound", upright=True),
    Recipe("carotid_ultrasound", upright=True),
    Recipe("cells_phase", objects=(1,), ground=(0,), weight=0.8, invert=0.1),  # some dim cells are not marked
    Recipe("coast_aerial", invert=0.0),
    Recipe("coco_ccby", objects=(1,), ground=(0,), weight=0.7, upright=True, near_px=24, invert=0.0),
    Recipe("concrete_damage", weight=0.7),  # coarse outlines
    Recipe("cotton_foreign_matter", objects=(2, 3, 4, 5), ground=(0, 1), weight=0.7, invert=0.0),
    Recipe("fetal_head_ultrasound", weight=0.5, upright=True),  # filled ellipses
    Recipe("forest_satellite", weight=0.5, smallest=0.7),  # derived by classification, speckled
    Recipe("heart_mri", weight=0.7, upright=True),  # five patients
    Recipe("kidney_glomeruli", weight=0.8, invert=0.0),
    Recipe("landslides_aerial", weight=0.8, invert=0.0),
    Recipe("mammogram_density", weight=0.5, smallest=0.7, upright=True),  # speckled, no sharp edge
    Recipe("ms_lesions_mri", smallest=0.7, upright=True),
    Recipe("nasopharynx_mri", upright=True),
    Recipe("octa_fovea", weight=0.8),
    Recipe("optic_disc_fundus", invert=0.0),
    # Persons are labelled completely, so the rest is background to the set's own head; but other objects lie in it.
    Recipe("person_ccby", objects=(1,), upright=True, invert=0.0),
    Recipe("plant_roots", objects=(1,), ground=(0,), weight=0.7, smallest=0.7),  # centre lines plus brightness
    Recipe("road_potholes", weight=0.8, upright=True, invert=0.0),
    Recipe("skin_lesions", objects=(1,), ground=(0,), weight=0.5, invert=0.0),  # some masks far wider than the lesion
    Recipe("spine_mri", smallest=0.6, upright=True),
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the card of a set says, and the split of its pictures by stem."""

    domain: str
    kind: str
    classes: tuple[str, ...]
    ignore: int | None
    licence: str
    source: str
    grey: bool
    stems: tuple[str, ...]
    held_out: frozenset[str]


def facts_of(folder: Path, recipe: Recipe) -> Facts:
    """Read the card in `folder`. Raises OSError where there is none, ValueError where it names no classes or where the
    split would leave a side empty.
    """
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    classes = sorted(card["classes"], key=lambda c: c["value"])
    if [c["value"] for c in classes] != list(range(len(classes))) or len(classes) < 2:
        raise ValueError(f"{folder.name}: classes are not numbered from 0")
    stems = tuple(sorted(path.stem for path in (folder / "images").iterdir()))
    held = held_out(stems, card.get("groups") or {}, recipe.block)
    if not 0 < len(held) < len(stems):
        raise ValueError(f"{folder.name}: the groups leave one side of the split empty")
    return Facts(
        domain=card["domain"],
        kind=card["kind"],
        classes=tuple(c["name"] for c in classes),
        ignore=card.get("ignore"),
        licence=card["licence"]["name"],
        source=card["source"]["repository"],
        grey=card["channels"] == 1,
        stems=stems,
        held_out=frozenset(held),
    )


def held_out(stems: Sequence[str], groups: Mapping[str, str], block: int) -> set[str]:
    """Stems kept out of training: whole groups, drawn at random until about 15 % of the pictures are reached.

    Where the card names no group, `block` neighbouring stems are one. A group of more than 30 % is drawn only if
    nothing else can be held out. Depends on the stems and groups alone, never on the seed of a training.
    """
    group_of = {stem: groups.get(stem) or f"block {place // block}" for place, stem in enumerate(sorted(stems))}
    names = sorted(set(group_of.values()))
    np.random.default_rng([SPLIT_SEED, len(stems)]).shuffle(names)
    members = {name: {stem for stem, group in group_of.items() if group == name} for name in names}
    small = [name for name in names if len(members[name]) <= LARGEST_SHARE * len(stems)]
    held: set[str] = set()
    for name in small or names[:1]:
        if len(held) >= max(1, HELD_OUT_SHARE * len(stems) - 1):
            break
        held |= members[name]
    return held


def labels_of(values: NDArray[np.integer], kind: str, recipe: Recipe, classes: int) -> NDArray[np.uint8]:
    """Class values (H, W) to learn from, 255 = unknown, of a stored mask (H, W): semantic values, or instances 1..n.

    Raises ValueError for a value that is neither a class of the card nor 255.
    """
    mask = (np.minimum(values, 1) if kind == "instance" else values).astype(np.uint8)
    known = mask[mask != UNKNOWN]
    if known.size and int(known.max()) >= classes:
        raise ValueError(f"{recipe.folder}: a mask has the value {int(known.max())}, the card {classes} classes")
    return near_only(mask, recipe.near_px) if recipe.near_px else mask


def near_only(mask: NDArray[np.uint8], near_px: int) -> NDArray[np.uint8]:
    """`mask` with its ground (0) known only within `near_px` of an object, and unknown in the rim around each."""
    import cv2

    if not (mask == 1).any():
        return np.full_like(mask, UNKNOWN)
    away = cv2.distanceTransform((mask != 1).astype(np.uint8), cv2.DIST_L2, 5)
    out = mask.copy()
    out[(mask == 0) & ((away > near_px) | (away <= RIM_PX))] = UNKNOWN
    return out


def foreground_of(mask: NDArray[np.uint8], recipe: Recipe) -> NDArray[np.uint8]:
    """For the general foreground head: 1 object, 0 ground, 255 unknown; all 255 for a set that has no objects."""
    out = np.full_like(mask, UNKNOWN)
    if recipe.objects:
        out[np.isin(mask, recipe.ground)] = 0
        out[np.isin(mask, recipe.objects)] = 1
    return out
