"""What a file says about its pixels beside them: axes, channels, size of a pixel, place on earth or in a patient.

Plain values that a project keeps as JSON, so that nothing has to be opened again to know them. Nothing here names a
person: a reader leaves out names, dates of birth and the like.
"""

import msgspec

__all__ = [
    "PLAIN",
    "Affine",
    "Channel",
    "Metadata",
    "Transform",
    "Window",
    "decoded",
    "encoded",
    "is_metadata",
    "known",
    "same_grid",
]

Transform = tuple[float, float, float, float, float, float]
"""a, b, c, d, e, f: x = a * column + b * row + c, y = d * column + e * row + f, of the outer corner of pixel 0, 0."""

Affine = tuple[
    tuple[float, float, float, float],
    tuple[float, float, float, float],
    tuple[float, float, float, float],
]
"""Three rows of four: column, row, plane along z and 1 to millimetres rightwards, forwards, upwards in a patient (RAS),
of the centre of a pixel, as NIfTI has it."""


class Channel(msgspec.Struct, frozen=True, omit_defaults=True):
    """One channel: its name, and its colour as #RRGGBB where the file gives one."""

    name: str = ""
    color: str = ""


class Window(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which values are shown from black to white: `level` is the middle, in values after rescale.

    `shape` is the function of DICOM PS3.3 C.11.2.1: linear, linear_exact or sigmoid.
    """

    level: float
    width: float
    name: str = ""
    shape: str = "linear"


class Metadata(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a file says about its pixels.

    `axes` names the axes of the planes and ends in yx ('yx', 'zyx', 'tzyx'); `sizes` has the length of each but the
    last two, in the order in which planes count (the last one fastest). `spacing` is the distance of pixel centres
    along z, y, x (or y, x) in `unit` (mm, µm, m). `transform` and `crs` (EPSG:n or WKT) place a picture on a map,
    `affine` in a patient; `position` is latitude and longitude in degrees, and height in metres, of the camera. Pixels
    of which every channel is `nodata` lie outside the picture, and where it is `masked` those that the source says
    (`imaging.outside`). `windows` are the file's own. `files` says what the files of an image are that are joined: c,
    channels; z, slices; zc, both. `group` is the same for files of one patient, slide or flight, and says nothing else
    about it. `notes` are sentences that a person should know, in English and translated when shown. `personal`: the
    file names a person; `inverted`: it wants low values shown bright (MONOCHROME1).
    """

    axes: str = "yx"
    sizes: tuple[int, ...] = ()
    channels: tuple[Channel, ...] = ()
    spacing: tuple[float, ...] | None = None
    unit: str = ""
    crs: str = ""
    transform: Transform | None = None
    affine: Affine | None = None
    position: tuple[float, float, float] | None = None
    nodata: float | None = None
    masked: bool = False
    windows: tuple[Window, ...] = ()
    modality: str = ""
    group: str = ""
    files: str = ""
    notes: tuple[str, ...] = ()
    personal: bool = False
    inverted: bool = False


def same_grid(a: Metadata, b: Metadata) -> bool:
    """Whether pixels of two files of one size lie on the same places, as far as both say: on one map, or in one
    patient. Half a pixel is enough to tell them apart.
    """
    if a.affine is not None and b.affine is not None:
        rows = zip(a.affine, b.affine, strict=True)
        pixel = max(abs(value) for row in a.affine for value in row[:3])
        return all(abs(x - y) <= pixel * (_HALF if at == 3 else _TURN) for m, n in rows for at, (x, y) in _places(m, n))
    if a.transform is not None and b.transform is not None and a.crs and b.crs:
        pixel = max(abs(value) for at, value in enumerate(a.transform) if at not in _ORIGIN)
        pairs = _places(a.transform, b.transform)
        near = all(abs(x - y) <= pixel * (_HALF if at in _ORIGIN else _TURN) for at, (x, y) in pairs)
        # Two texts may mean one system, but two numbers do not.
        return near and (a.crs == b.crs or not (a.crs.startswith("EPSG:") and b.crs.startswith("EPSG:")))
    return True


def _places(a: tuple[float, ...], b: tuple[float, ...]) -> "enumerate[tuple[float, float]]":
    return enumerate(zip(a, b, strict=True))


_HALF, _TURN = 0.5, 1e-3
"""How far origins may differ, and the numbers that say how large a pixel is and which way it lies, in pixels."""
_ORIGIN = (2, 5)

PLAIN = Metadata()
"""Of a picture of which nothing is known but its pixels."""


def encoded(metadata: Metadata) -> str:
    """It as JSON; '' where nothing is known, as of most pictures."""
    return "" if metadata == PLAIN else msgspec.json.encode(metadata).decode()


def is_metadata(text: object) -> bool:
    """Whether it is what `encoded` gives."""
    try:
        decoded(str(text))
    except msgspec.MsgspecError:
        return False
    return isinstance(text, str)


def known(text: str) -> Metadata:
    """What a project says of an image: `PLAIN` where that is damaged, for its pixels and labels are whole."""
    try:
        return decoded(text)
    except msgspec.MsgspecError:
        return PLAIN


def decoded(text: str) -> Metadata:
    """It from JSON; what a newer version has added is passed over. Raises `msgspec.DecodeError`."""
    return msgspec.json.decode(text, type=Metadata) if text else PLAIN
