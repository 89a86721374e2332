"""GDAL, used through rasterio with our own limits: no network, no noise on standard error, a small cache of blocks.

Every call goes through `gdal`: settings of GDAL belong to a thread, and outside it errors would be printed.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from segstudio.imaging.readers.refusal import reading

__all__ = ["gdal", "opened_by_gdal"]

_OPTIONS = {
    "GDAL_CACHEMAX": 128 << 20,  # bytes, for the whole process; rasterio takes small numbers as bytes too
    "GDAL_MAX_DATASET_POOL_SIZE": 64,  # files of one mosaic that are open at once
    # A folder of 100,000 files would be listed for each of them; what lies beside a file is looked up by name instead.
    "GDAL_DISABLE_READDIR_ON_OPEN": "TRUE",
    # A file may name others, and those others again. None is fetched: no address is allowed, no proxy answers there.
    "CPL_VSIL_CURL_ALLOWED_FILENAME": "/vsicurl/none",
    "GDAL_HTTP_PROXY": "127.0.0.1:1",
    "GDAL_HTTP_CONNECTTIMEOUT": 1,
    "GDAL_HTTP_MAX_RETRY": 0,
    "GDAL_VRT_ENABLE_PYTHON": "NO",
    "PROJ_NETWORK": "OFF",
    "GDAL_PAM_ENABLED": "YES",
}

_ready = threading.Lock()


@contextmanager
def gdal(path: Path) -> Iterator[None]:
    """GDAL with these settings, on this thread; what it raises about the file's content becomes `UnreadableImage`."""
    import rasterio
    from rasterio.errors import RasterioError
    from rasterio.session import DummySession

    logging.getLogger("rasterio").setLevel(logging.CRITICAL + 1)
    # With another session rasterio looks for an account of a cloud service.
    with reading(path, RasterioError, *_errors_of_gdal()), rasterio.Env(DummySession(), **_OPTIONS):
        yield


def _errors_of_gdal() -> tuple[type[Exception], ...]:
    from rasterio._err import CPLE_BaseError

    return (CPLE_BaseError,)


def opened_by_gdal(path: Path, driver: str, level: int | None = None) -> Any:
    """A file, or the nth of its smaller copies, as a rasterio dataset; the caller closes it. Within `gdal`."""
    import rasterio

    # Opening sets up PROJ and the table of drivers, which is not safe on two threads at once.
    with _ready:
        more: dict[str, Any] = {} if level is None else {"overview_level": level}
        return rasterio.open(path, driver=driver, sharing=False, **more)
