"""Make the embedded sample project's pictures from scikit-image's sample data.

Run by hand when the sample changes, with scikit-image installed beside the dependencies:

    python packaging/make_sample.py                  writes resources/sample/
    python packaging/make_sample.py --overlay DIR    also writes enlarged pictures with the outlines, to be looked at

The retina is scaled to 768 x 768 and cut into six fields of 256 x 384; `vessel_masks.py` beside this file makes their
masks. The coins photograph is cut into six fields of about four coins each, without overlap, at its native size. Its
masks are made here: for every coin a hand-measured ellipse gives the neighbourhood, in which the closed contour of
strongest outward bright-to-dark step is found by dynamic programming in polar coordinates. Every outline was looked
at in the enlarged overlays; a person would move no coin's by more than half a pixel. Nothing here is used by the
program itself.
"""

import argparse
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vessel_masks import vessel_mask

ROOT = Path(__file__).resolve().parent.parent / "resources" / "sample"
BACKGROUND_COLOUR, COIN_COLOUR, VESSEL_COLOUR = (107, 114, 128), (230, 159, 0), (240, 228, 66)
RETINA_PX = 768
ANGLES, STEPS_PER_PX, REACH_PX = 180, 8, 3.5


@dataclass(frozen=True, slots=True)
class Ellipse:
    """A coin as measured by hand: centre and half axes in pixels of the photograph."""

    x: float
    y: float
    a: float
    b: float


COINS = (
    Ellipse(44.7, 53.5, 22.0, 20.7),
    Ellipse(100.5, 56.4, 19.5, 17.5),
    Ellipse(155.5, 51.0, 23.4, 22.6),
    Ellipse(215.8, 51.3, 23.8, 21.7),
    Ellipse(275.8, 52.8, 20.6, 19.2),
    Ellipse(334.6, 43.8, 29.5, 27.9),
    Ellipse(45.7, 124.7, 20.7, 20.6),
    Ellipse(103.2, 126.5, 19.0, 18.7),
    Ellipse(153.7, 127.2, 19.6, 17.8),
    Ellipse(206.0, 124.7, 19.9, 19.6),
    Ellipse(270.5, 119.4, 24.9, 24.6),
    Ellipse(336.5, 125.0, 19.5, 19.6),
    Ellipse(44.4, 197.3, 18.5, 19.9),
    Ellipse(102.2, 196.1, 21.8, 21.2),
    Ellipse(154.4, 198.2, 19.5, 19.0),
    Ellipse(213.0, 193.2, 23.8, 23.4),
    Ellipse(273.8, 194.3, 22.6, 22.3),
    Ellipse(347.2, 186.7, 32.1, 31.2),
    Ellipse(46.8, 260.3, 28.1, 27.4),
    Ellipse(114.1, 265.9, 21.5, 21.5),
    Ellipse(172.7, 261.5, 28.7, 25.6),
    Ellipse(244.2, 263.5, 24.5, 23.8),
    Ellipse(301.1, 263.8, 25.2, 24.8),
    Ellipse(358.3, 268.4, 22.6, 20.6),
)


@dataclass(frozen=True, slots=True)
class Field:
    """One field cut out of the photograph: name and the half-open rectangle x0, y0, x1, y1 in pixels."""

    name: str
    x0: int
    y0: int
    x1: int
    y1: int


# In the lower half no straight cut misses every coin: column 135 is left out, so that neither neighbour keeps a sliver,
# and the coin on the border at 250 is cut in two, as happens in real fields.
COIN_FIELDS = (
    Field("coins_1", 0, 0, 126, 150),
    Field("coins_2", 126, 0, 242, 150),
    Field("coins_3", 242, 0, 384, 150),
    Field("coins_4", 0, 150, 135, 303),
    Field("coins_5", 136, 150, 250, 303),
    Field("coins_6", 250, 150, 384, 303),
)

RETINA_FIELDS = tuple(
    Field(f"retina_{3 * row + column + 1}", 256 * column, 384 * row, 256 * column + 256, 384 * row + 384)
    for row in range(2)
    for column in range(3)
)
PLAY = ("play/tissue.jpg", "play/cell.png")


def contour(picture: NDArray[np.float32], coin: Ellipse) -> NDArray[np.float64]:
    """The closed outline of one coin: (ANGLES, 2) points x, y in pixels, pixel centres at .5.

    The cost of a point is the outward change of brightness (dark outside is cheap) plus a pull to the measured ellipse;
    neighbours may differ by one radial step an angle. The cheapest closed path is found by dynamic programming twice
    round, the second round starting where the first one ended.
    """
    import cv2

    angles = np.arange(ANGLES) * (2 * math.pi / ANGLES)
    radius = coin.a * coin.b / np.hypot(coin.b * np.cos(angles), coin.a * np.sin(angles))
    offsets = np.arange(-REACH_PX, REACH_PX + 1e-9, 1 / STEPS_PER_PX)
    rays = radius[:, None] + offsets[None, :]
    xs = coin.x + rays * np.cos(angles)[:, None]
    ys = coin.y + rays * np.sin(angles)[:, None]
    map_x, map_y = (xs - 0.5).astype(np.float32), (ys - 0.5).astype(np.float32)
    samples = cv2.remap(picture, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    cost = np.gradient(samples, axis=1) * STEPS_PER_PX + 0.8 * offsets[None, :] ** 2
    path = _cheapest_closed_path(cost)
    r = radius + offsets[path]
    return np.stack([coin.x + r * np.cos(angles), coin.y + r * np.sin(angles)], axis=1)


def _cheapest_closed_path(cost: NDArray[np.float64]) -> NDArray[np.int64]:
    rows = np.concatenate([cost, cost, cost])
    total, back = rows[0].copy(), np.zeros(rows.shape, np.int64)
    bend = 0.35
    for i in range(1, len(rows)):
        moves = np.stack([np.r_[np.inf, total[:-1]] + bend, total, np.r_[total[1:], np.inf] + bend])
        best = np.argmin(moves, axis=0)
        total = moves[best, np.arange(len(total))] + rows[i]
        back[i] = np.arange(len(total)) + best - 1
    path = np.zeros(len(rows), np.int64)
    path[-1] = int(np.argmin(total))
    for i in range(len(rows) - 1, 0, -1):
        path[i - 1] = back[i, path[i]]
    return path[len(cost) : 2 * len(cost)]


def coin_mask(photograph: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mask of the whole photograph (H, W): 1 where the pixel's centre lies on a coin, else 0."""
    import cv2

    picture = cv2.GaussianBlur(photograph.astype(np.float32), (0, 0), 0.7)
    mask = np.zeros(photograph.shape, np.uint8)
    for coin in COINS:
        _fill(mask, contour(picture, coin))
    return mask


def _fill(mask: NDArray[np.uint8], polygon: NDArray[np.float64]) -> None:
    """Set to 1 exactly the pixels whose centre lies in the polygon: even-odd rule, no drawing library's rounding."""
    x, y = polygon[:, 0], polygon[:, 1]
    x2, y2 = np.roll(x, -1), np.roll(y, -1)
    for row in range(max(0, int(y.min())), min(mask.shape[0], int(y.max()) + 1)):
        centre = row + 0.5
        cut = (y <= centre) != (y2 <= centre)
        crossings = np.sort(x[cut] + (centre - y[cut]) * (x2[cut] - x[cut]) / (y2[cut] - y[cut]))
        for left, right in zip(crossings[::2], crossings[1::2], strict=True):
            mask[row, max(0, math.ceil(left - 0.5)) : max(0, math.ceil(right - 0.5))] = 1


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of picture, cut into fields: pixels, mask (1 = the object), and how both are written."""

    name: str
    photograph: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    fields: tuple[Field, ...]
    of: str
    colour: tuple[int, int, int]
    extension: str


def write_fields(kind: Kind) -> None:
    """Write ``NAME/images`` (grey PNG, or JPEG) and ``NAME/masks`` (palette PNG: 0 background, 1 the object)."""
    from PIL import Image

    images, masks = ROOT / kind.name / "images", ROOT / kind.name / "masks"
    images.mkdir(parents=True, exist_ok=True)
    masks.mkdir(parents=True, exist_ok=True)
    how: dict[str, Any] = {"quality": 92, "subsampling": 0} if kind.extension == "jpg" else {}
    for field in kind.fields:
        part = np.s_[field.y0 : field.y1, field.x0 : field.x1]
        Image.fromarray(kind.photograph[part]).save(images / f"{field.name}.{kind.extension}", optimize=True, **how)
        picture = Image.fromarray(kind.mask[part], mode="P")
        picture.putpalette([*BACKGROUND_COLOUR, *kind.colour])
        picture.save(masks / f"{field.name}.png", optimize=True)


def write_play(data: Path) -> None:
    """Write the single pictures: stained tissue as JPEG, the cell as PNG."""
    from PIL import Image

    out = ROOT / "play"
    out.mkdir(parents=True, exist_ok=True)
    Image.open(data / "ihc.png").convert("RGB").save(out / "tissue.jpg", quality=88, subsampling=0, optimize=True)
    Image.open(data / "cell.png").convert("L").save(out / "cell.png", optimize=True)


def write_index(kinds: tuple[Kind, ...]) -> None:
    """Write ``sample.json``: a project a kind, with its classes and its fields in order; the single pictures lie in
    the first. Paths are relative to ``resources/sample``."""
    projects = [
        {
            "name": kind.name,
            "classes": [
                {"name": "background", "value": 0, "kind": "background", "color": _hex(BACKGROUND_COLOUR)},
                {"name": kind.of, "value": 1, "kind": "semantic", "color": _hex(kind.colour)},
            ],
            "fields": [
                {"image": f"{kind.name}/images/{f.name}.{kind.extension}", "mask": f"{kind.name}/masks/{f.name}.png"}
                for f in kind.fields
            ],
            "play": list(PLAY) if kind is kinds[0] else [],
        }
        for kind in kinds
    ]
    text = json.dumps({"projects": projects}, indent=2) + "\n"
    (ROOT / "sample.json").write_text(text, encoding="utf-8")


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02X}{:02X}{:02X}".format(*colour)


def write_overlay(kind: Kind, folder: Path, zoom: int = 8) -> None:
    """Write each field enlarged, with the mask's outline between pixels drawn over it."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    for field in kind.fields:
        part = np.s_[field.y0 : field.y1, field.x0 : field.x1]
        pixels = kind.photograph[part] if kind.photograph.ndim == 3 else np.stack([kind.photograph[part]] * 3, axis=2)
        rgb = pixels.repeat(zoom, 0).repeat(zoom, 1)
        big = kind.mask[part].repeat(zoom, 0).repeat(zoom, 1)
        edge = np.zeros(big.shape, bool)
        edge[:, 1:] |= big[:, 1:] != big[:, :-1]
        edge[1:] |= big[1:] != big[:-1]
        rgb[edge] = (0, 255, 255)
        Image.fromarray(rgb).save(folder / f"{field.name}.png")


def main() -> None:
    """Make the sample again; the data folder is that of the installed scikit-image."""
    import skimage  # pyright: ignore[reportMissingImports]
    from PIL import Image

    parser = argparse.ArgumentParser(description="Make the embedded sample's pictures and masks.")
    parser.add_argument("--overlay", type=Path, help="also write enlarged pictures with the outlines to this folder")
    options = parser.parse_args()
    data = Path(skimage.__file__).parent / "data"
    whole = Image.open(data / "retina.jpg").convert("RGB")
    retina = np.asarray(whole.resize((RETINA_PX, RETINA_PX), Image.Resampling.LANCZOS))
    coins = np.asarray(Image.open(data / "coins.png").convert("L"))
    vessels = vessel_mask(retina).astype(np.uint8)
    kinds = (
        Kind("retina", retina, vessels, RETINA_FIELDS, "vessel", VESSEL_COLOUR, "jpg"),
        Kind("coins", coins, coin_mask(coins), COIN_FIELDS, "coin", COIN_COLOUR, "png"),
    )
    for kind in kinds:
        write_fields(kind)
        if options.overlay:
            write_overlay(kind, options.overlay)
    write_play(data)
    write_index(kinds)


if __name__ == "__main__":
    main()
