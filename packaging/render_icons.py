"""Render the program's icon to PNG for desktop entries, and all icons to one sheet to be looked at.

python packaging/render_icons.py                  writes resources/icons/png/segstudio-SIZE.png
python packaging/render_icons.py --sheet FILE     also writes every icon at 16 and 64 px on dark and on light
"""

import argparse
import os
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

ICONS = Path(__file__).resolve().parent.parent / "resources" / "icons"
SIZES = (16, 24, 32, 48, 64, 128, 256, 512)
GROUNDS = (("#1E1F22", "#D7D9DC"), ("#F6F6F6", "#2B2D30"))


def drawn(svg: Path, size_px: int, colour: str = "#000000") -> QImage:
    """The icon at ``size_px`` x ``size_px``, its ``currentColor`` replaced by ``colour``."""
    text = svg.read_text(encoding="utf-8").replace("currentColor", colour)
    image = QImage(size_px, size_px, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(QByteArray(text.encode())).render(painter, QRectF(0, 0, size_px, size_px))
    painter.end()
    return image


def sheet() -> QImage:
    """Every icon at 16 px (shown as is and threefold) and at 64 px, on dark and on light."""
    names = sorted(ICONS.glob("*.svg"))
    image = QImage(len(names) * 72 + 8, 2 * 160, QImage.Format.Format_ARGB32_Premultiplied)
    painter = QPainter(image)
    for band, (ground, ink) in enumerate(GROUNDS):
        painter.fillRect(0, band * 160, image.width(), 160, QColor(ground))
        for column, svg in enumerate(names):
            x, y = 8 + column * 72, band * 160 + 8
            small = drawn(svg, 16, ink)
            painter.drawImage(x, y, small)
            painter.drawImage(x + 20, y, small.scaled(48, 48))
            painter.drawImage(x, y + 72, drawn(svg, 64, ink))
    painter.end()
    return image


def main() -> None:
    """Write the PNGs of the program's icon, and the sheet where one is asked for."""
    parser = argparse.ArgumentParser(description="Render the icons.")
    parser.add_argument("--sheet", type=Path, help="write a picture of all icons to this file")
    options = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QGuiApplication([])
    (ICONS / "png").mkdir(exist_ok=True)
    for size in SIZES:
        drawn(ICONS / "segstudio.svg", size).save(str(ICONS / "png" / f"segstudio-{size}.png"))
    if options.sheet:
        sheet().save(str(options.sheet))
    del application


if __name__ == "__main__":
    main()
