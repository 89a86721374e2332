"""Pack the training sets once into one file of bytes that a training maps into memory.

    python training/pack.py --data DATA --out PACK

`PACK/pixels.u8` holds every picture, (H, W, channels) with one channel for grey sets, and behind it its mask (H, W);
`PACK/index.json` says where. About a gigabyte for the 31 sets; the system keeps what is in use, and two processes share
it.
"""

import argparse
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from sets import RECIPES, UNKNOWN, Recipe, facts_of, labels_of

ROOT = Path(__file__).resolve().parent.parent
VERSION = 1


class Picture(msgspec.Struct, frozen=True):
    """Where a picture lies in the file, its shape (H, W, channels), and its known pixels by class value."""

    stem: str
    offset: int
    shape: tuple[int, int, int]
    counts: tuple[int, ...]


class TrainingSet(msgspec.Struct, frozen=True):
    """A packed set. `object_px`: median square root of the area of its objects, in pixels."""

    name: str
    domain: str
    kind: str
    classes: tuple[str, ...]
    ignore: int | None
    licence: str
    source: str
    grey: bool
    object_px: float
    train: tuple[Picture, ...]
    held_out: tuple[Picture, ...]

    @property
    def recipe(self) -> Recipe:
        """What the training knows of this set; read anew, so that a weight can change without packing again."""
        return next(r for r in RECIPES if r.folder == self.name)


class Index(msgspec.Struct, frozen=True):
    """What `index.json` holds. `digest`: of all pixels, so that a card can say what was learned from."""

    version: int
    digest: str
    sets: tuple[TrainingSet, ...]


@dataclass(frozen=True, slots=True)
class Pack:
    """The sets and their pixels, read-only."""

    folder: Path
    digest: str
    sets: tuple[TrainingSet, ...]
    leave: tuple[str, ...]
    pixels: NDArray[np.uint8]

    def __reduce__(self) -> tuple[object, ...]:
        """Another process opens the file itself."""
        return open_pack, (self.folder, self.leave)

    def image(self, picture: Picture) -> NDArray[np.uint8]:
        """(H, W, channels), a view of the file."""
        size = int(np.prod(picture.shape))
        return self.pixels[picture.offset : picture.offset + size].reshape(picture.shape)

    def mask(self, picture: Picture) -> NDArray[np.uint8]:
        """(H, W) class values, 255 = unknown, a view of the file."""
        start = picture.offset + int(np.prod(picture.shape))
        height, width, _ = picture.shape
        return self.pixels[start : start + height * width].reshape(height, width)


def open_pack(folder: Path, leave: tuple[str, ...] = ()) -> Pack:
    """The pack in `folder` without the sets named in `leave`. Raises OSError where there is none, ValueError for one of
    another version or a name in `leave` that it does not have.
    """
    index = msgspec.json.decode((folder / "index.json").read_bytes(), type=Index)
    if index.version != VERSION:
        raise ValueError(f"{folder} was packed by another version: pack again")
    if unknown := set(leave) - {s.name for s in index.sets}:
        raise ValueError(f"no set named {min(unknown)}")
    sets = tuple(s for s in index.sets if s.name not in leave)
    return Pack(folder, index.digest, sets, leave, np.memmap(folder / "pixels.u8", np.uint8, mode="r"))


def pack(data: Path, out: Path, recipes: tuple[Recipe, ...] = RECIPES) -> Index:
    """Write the sets of `data`/train; the index comes last, so an interrupted pack is never opened."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "index.json").unlink(missing_ok=True)
    digest, sets, place = hashlib.sha256(), [], 0
    with (out / "pixels.u8").open("wb") as file:
        for recipe in recipes:
            folder = data / "train" / recipe.folder
            facts, found, sizes = facts_of(folder, recipe), {}, []
            for path in sorted((folder / "images").iterdir()):
                image, values = _read(path, folder / "masks" / f"{path.stem}.png", facts.grey)
                mask = labels_of(values, facts.kind, recipe, len(facts.classes))
                sizes += _object_sizes(values, facts.kind)
                counts = np.bincount(mask.ravel(), minlength=UNKNOWN + 1)[: len(facts.classes)]
                found[path.stem] = Picture(path.stem, place, image.shape, tuple(counts.tolist()))
                for part in (image, mask):
                    raw = np.ascontiguousarray(part).tobytes()
                    digest.update(raw)
                    place += file.write(raw)
            sets.append(
                TrainingSet(
                    recipe.folder,
                    facts.domain,
                    facts.kind,
                    facts.classes,
                    facts.ignore,
                    facts.licence,
                    facts.source,
                    facts.grey,
                    round(float(np.median(sizes)), 1),
                    tuple(found[stem] for stem in facts.stems if stem not in facts.held_out),
                    tuple(found[stem] for stem in facts.stems if stem in facts.held_out),
                )
            )
    index = Index(VERSION, digest.hexdigest(), tuple(sets))
    (out / "index.json").write_bytes(msgspec.json.encode(index))
    return index


def _read(image: Path, mask: Path, grey: bool) -> tuple[NDArray[np.uint8], NDArray[np.integer]]:
    """A picture (H, W, 1 or 3) and its stored mask (H, W)."""
    from PIL import Image

    with Image.open(image) as file:
        pixels = np.asarray(file.convert("L" if grey else "RGB"))
    with Image.open(mask) as file:
        values = np.asarray(file)
    if values.shape != pixels.shape[:2]:
        raise ValueError(f"{image.name}: the mask has another size")
    return pixels.reshape(*values.shape, -1), values


def _object_sizes(values: NDArray[np.integer], kind: str) -> list[float]:
    """Square roots of the areas of a picture's objects in pixels: instances, or connected parts of each class but the
    first.
    """
    import cv2

    if kind == "instance":
        areas = np.bincount(values.ravel())[1:]
        return [float(a) ** 0.5 for a in areas if a >= 9]
    found = []
    for value in np.unique(values):
        if value not in (0, UNKNOWN):
            _, _, stats, _ = cv2.connectedComponentsWithStats((values == value).astype(np.uint8), connectivity=8)
            found += [float(a) ** 0.5 for a in stats[1:, cv2.CC_STAT_AREA] if a >= 9]
    return found


def data_folder() -> Path:
    """Where the open sets lie if nothing is said."""
    return Path(os.environ.get("SEGSTUDIO_DATA", ROOT.parent / "shared" / "data"))


def main() -> None:
    """Pack and say what was packed."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--data", type=Path, default=data_folder())
    parser.add_argument("--out", type=Path, default=ROOT / ".training-out" / "pack")
    options = parser.parse_args()
    index = pack(options.data, options.out)
    for s in index.sets:
        hidden = [name for name, n in zip(s.classes, np.sum([p.counts for p in s.held_out], 0), strict=True) if not n]
        unseen = [name for name, n in zip(s.classes, np.sum([p.counts for p in s.train], 0), strict=True) if not n]
        print(
            f"{s.name:24} {s.domain:10} {len(s.train):3} + {len(s.held_out):2} held out, objects {s.object_px:5.1f} px"
            + (f"; not in the held-out: {', '.join(hidden)}" if hidden else "")
            + (f"; NOT IN TRAINING: {', '.join(unseen)}" if unseen else "")
        )
    print(f"{(options.out / 'pixels.u8').stat().st_size / 1e6:.0f} MB, {index.digest[:16]}")


if __name__ == "__main__":
    main()
