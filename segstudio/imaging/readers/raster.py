"""PNG, JPEG, BMP, WebP, GIF and AVIF, read by Pillow (PNG of 16 bits a colour by OpenCV, which keeps all 16).

Palettes become RGB, one-bit pictures 0 and 255, CMYK becomes RGB, AVIF of more than 8 bits 8. Frames of GIF, WebP, AVIF
and animated PNG are planes (of a PNG of 16 bits a colour the first alone). A JPEG that ends before its end mark is
refused: its decoder would fill the rest with grey.
"""

import re
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from segstudio.errors import UnreadableImage
from segstudio.imaging.metadata import PLAIN
from segstudio.imaging.readers import lossless_jpeg
from segstudio.imaging.readers.frames import Frame, FrameSource, upright
from segstudio.imaging.readers.pillow import opened_by_pillow, reading_by_pillow
from segstudio.imaging.readers.refusal import DAMAGED, checked_size
from segstudio.imaging.source import ImageInfo, Pixels, PlaneInfo
from segstudio.text import _

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["open_image", "orientation_of", "probe"]

_FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "GIF", "AVIF")
_ORIENTATION = 0x0112
_XMP_ORIENTATION = re.compile(r"tiff:Orientation(?:=\"|>)([1-8])")
_TURNED = (5, 6, 7, 8)
_TAIL = 1 << 16
_LARGE_BYTES = 1 << 26


def probe(path: Path) -> ImageInfo:
    """See `imaging.source.probe`."""
    return _probed(path)[0]


def _probed(path: Path) -> tuple[ImageInfo, bool]:
    """The header, and whether the file is a JPEG without loss."""
    try:
        with opened_by_pillow(path, _FORMATS) as image, reading_by_pillow(path):
            return _info(path, image), False
    except UnreadableImage:
        with path.open("rb") as file:
            jpeg = file.read(3) == b"\xff\xd8\xff"
        lossless = lossless_jpeg.header_of(path) if jpeg else None
        if lossless is None:
            raise
        return lossless, True


def open_image(path: Path) -> FrameSource:
    """See `imaging.source.open_image`."""
    info, lossless = _probed(path)
    if lossless:
        return lossless_jpeg.open_image(path, info)
    if len(info.planes) == 1:
        return FrameSource(info, lambda _plane: _still(path, info))
    return _Animation(path, info)


def _info(path: Path, image: "Image") -> ImageInfo:
    family = (image.format or "").lower()
    channels, dtype, alpha = _samples(image)
    width, height = image.size
    checked_size(path, width, height, (channels + alpha) * np.dtype(dtype).itemsize)
    if orientation_of(path, image) in _TURNED:
        width, height = height, width
    moves = family in ("gif", "webp", "avif") or (family == "png" and not _sixteen_bit_colour(image))
    frames = int(getattr(image, "n_frames", 1)) if moves else 1
    planes = tuple(PlaneInfo(str(index), width, height) for index in range(frames))
    metadata = PLAIN
    if family == "jpeg":
        from segstudio.imaging.readers.drone import metadata_of

        metadata = metadata_of(image, image.getexif(), width, height)
    return ImageInfo(planes, channels, dtype, family, alpha, metadata)


def _samples(image: "Image") -> tuple[int, str, bool]:
    """Channels, dtype and whether there is transparency, as `_frame` will give them."""
    mode = image.mode
    if image.format == "GIF":
        return 3, "uint8", "transparency" in image.info
    if _sixteen_bit_colour(image):
        raw = _raw_mode(image)
        return (1 if raw.startswith("LA") else 3), "uint16", "A" in raw or "transparency" in image.info
    if mode.startswith("I"):
        return 1, "uint16", False
    if mode == "F":
        return 1, "float32", False
    if mode in ("1", "L", "LA"):
        return 1, "uint8", mode == "LA"
    return 3, "uint8", mode in ("RGBA", "PA", "RGBa") or "transparency" in image.info


def _raw_mode(image: "Image") -> str:
    """How the file itself stores a pixel, for example `RGB;16B`."""
    tiles = getattr(image, "tile", None) or [("", (), 0, "")]
    args = tiles[0][3]
    return str(args[0] if isinstance(args, tuple) and args else args)


def _sixteen_bit_colour(image: "Image") -> bool:
    raw = _raw_mode(image)
    return image.format == "PNG" and raw.endswith(";16B") and not raw.startswith("I")


def orientation_of(path: Path, image: "Image") -> int:
    """The EXIF orientation 1..8 of an open file; 1 where it says none."""
    if image.format == "PNG" and "exif" not in image.info:
        # If asked for EXIF data, Pillow would decode the whole picture to look for the chunk after it.
        found = _XMP_ORIENTATION.search(str(image.info.get("XML:com.adobe.xmp", "")))
        return int(found[1]) if found else _trailing_orientation(path)
    if image.format in ("BMP", "GIF"):
        return 1
    value = image.getexif().get(_ORIENTATION, 1)
    return value if isinstance(value, int) else 1


def _trailing_orientation(path: Path) -> int:
    """Orientation in an eXIf chunk after the picture of a PNG; 1 if there is none."""
    from PIL import Image

    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - _TAIL, 0))
        tail = file.read()
    for match in re.finditer(b"eXIf", tail):
        length = int.from_bytes(tail[match.start() - 4 : match.start()], "big")
        end = match.end() + length
        if zlib.crc32(tail[match.start() : end]).to_bytes(4, "big") == tail[end : end + 4]:
            exif = Image.Exif()
            exif.load(b"Exif\0\0" + tail[match.end() : end])
            value = exif.get(_ORIENTATION, 1)
            return value if isinstance(value, int) else 1
    return 1


def _still(path: Path, info: ImageInfo) -> Frame:
    # Where the whole file is needed anyway, it is read once: over a network, reading is what decoding costs.
    data = _whole(path) if info.family == "jpeg" or (info.dtype == "uint16" and info.channels > 1) else None
    with opened_by_pillow(path, _FORMATS, data) as image, reading_by_pillow(path):
        orientation = orientation_of(path, image)
        if image.format == "JPEG":
            _refuse_cut_jpeg(path, data or path.read_bytes())
            if (large := _large_jpeg(image, data or b"", info)) is not None:
                return Frame(upright(large, orientation))
        sixteen = _sixteen_bit_colour(image)
        # Even where OpenCV reads the samples, because Pillow is the one that notices damage.
        image.load()
        frame = _sixteen_bit_frame(path, data or path.read_bytes(), info) if sixteen else _frame(image, info)
    alpha = None if frame.alpha is None else upright(frame.alpha, orientation)
    return Frame(upright(frame.pixels, orientation), alpha)


def _large_jpeg(image: "Image", data: bytes, info: ImageInfo) -> Pixels | None:
    """Samples (h, w, c) decoded straight into their array: Pillow holds those of a large picture three times.

    None for small and unusual pictures, and for damaged ones, of which Pillow says what is wrong.
    """
    plane = info.planes[0]
    if plane.width * plane.height * info.channels < _LARGE_BYTES or image.mode not in ("RGB", "L"):
        return None
    import imagecodecs

    try:
        found = imagecodecs.jpeg8_decode(data)
    except imagecodecs.Jpeg8Error:
        return None
    samples = found[..., None] if found.ndim == 2 else found
    return samples if samples.shape == (image.height, image.width, info.channels) else None


def _whole(path: Path) -> bytes:
    with reading_by_pillow(path):
        return path.read_bytes()


def _frame(image: "Image", info: ImageInfo) -> Frame:
    if info.dtype != "uint8":
        samples = np.asarray(image)
        if info.dtype == "uint16":
            samples = np.clip(samples, 0, 0xFFFF).astype(np.uint16)
        return Frame(np.array(samples)[..., None])
    mode = ("LA" if info.alpha else "L") if info.channels == 1 else ("RGBA" if info.alpha else "RGB")
    samples = np.array(image if image.mode == mode else image.convert(mode))
    if samples.ndim == 2:
        samples = samples[..., None]
    return _parted(samples, info)


def _parted(samples: Pixels, info: ImageInfo) -> Frame:
    """Samples (h, w, channels + 1) split into colour and opacity."""
    if not info.alpha:
        return Frame(samples)
    return Frame(np.ascontiguousarray(samples[..., :-1]), np.ascontiguousarray(samples[..., -1]))


def _sixteen_bit_frame(path: Path, data: bytes, info: ImageInfo) -> Frame:
    import cv2

    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.ndim != 3 or decoded.dtype != np.uint16:
        raise UnreadableImage(_("{name} cannot be read: {reason}.", name=path.name, reason=_(DAMAGED)))
    colour, opacity = decoded[..., 2::-1], decoded[..., 3:]
    samples = np.concatenate([colour[..., : info.channels], opacity[..., : int(info.alpha)]], axis=2)
    return _parted(samples, info)


def _refuse_cut_jpeg(path: Path, data: bytes) -> None:
    """Within compressed data 0xFF is never followed by 0xD9, so the mark found after the first scan is the true one."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big") if data[at + 1] != 0xFF else 1
    if data.find(b"\xff\xd9", at) < 0:
        raise UnreadableImage(_("{name} cannot be read: the file is cut short.", name=path.name))


class _Animation(FrameSource):
    """Frames of one file; each builds on the one before it, so the file stays in memory and is walked forwards."""

    def __init__(self, path: Path, info: ImageInfo) -> None:
        super().__init__(info, self._decode_frame)
        self._path = path
        self._image: Image | None = None

    def _decode_frame(self, plane: int) -> Frame:
        with reading_by_pillow(self._path):
            if self._image is None:
                self._image = opened_by_pillow(self._path, _FORMATS, self._path.read_bytes())
            orientation = orientation_of(self._path, self._image)
            self._image.seek(plane)
            self._image.load()
            frame = _frame(self._image, self.info)
        alpha = None if frame.alpha is None else upright(frame.alpha, orientation)
        return Frame(upright(frame.pixels, orientation), alpha)

    def close(self) -> None:
        """Release the planes and the file."""
        super().close()
        if self._image is not None:
            self._image.close()
            self._image = None
