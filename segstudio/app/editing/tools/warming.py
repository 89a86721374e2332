"""What the first use of a tool would have to import: asked for on a worker, soon after an image is on screen.

Modules and libraries are imported where they are used, so that a window opens fast; without this the first press of
each tool would take the time of that.
"""

from segstudio.app.editing.tools.table import ROWS

__all__ = ["warm_up"]


def warm_up() -> None:
    """Make each tool of ours once, and compute a little of what they compute. For a worker thread."""
    import numpy as np

    from segstudio.geometry import Rect, tile_rect
    from segstudio.imaging.edge_paths import EdgeMap
    from segstudio.imaging.levels import Levels
    from segstudio.imaging.superpixels import superpixels
    from segstudio.imaging.value_range import range_of_shares
    from segstudio.labels.paint.flood import flooded
    from segstudio.labels.paint.polygon import polygon_region

    plane, grey = Rect(0, 0, 32, 32), np.zeros((32, 32, 3), np.uint8)
    np.unique(superpixels(lambda rect: grey[: rect.h, : rect.w], plane, plane, 8).numbers)
    for row in ROWS:
        row.make(row)
    EdgeMap(grey, (0, 0)).path((9, 9))
    within = range_of_shares(0.0, 1.0, (Levels(0.0, 255.0),) * 3).mask(grey)
    inside = polygon_region([[(3.0, 3.0), (20.0, 4.0), (9.0, 25.0)]], plane)
    flooded((9, 9), plane, lambda place: inside.mask(tile_rect(*place)) & bool(within.all()))
