"""Somebody who shows samples that are still being decoded."""

import threading

from segstudio.errors import UnreadableImage
from segstudio.geometry import Rect

__all__ = ["Heard"]


class Heard:
    """What the samples tell."""

    def __init__(self) -> None:
        self.parts: list[Rect] = []
        self.errors: list[UnreadableImage] = []
        self.news = threading.Semaphore(0)

    def arrived(self, part: Rect) -> None:
        self.parts.append(part)
        self.news.release()

    def failed(self, error: UnreadableImage) -> None:
        self.errors.append(error)
        self.news.release()
