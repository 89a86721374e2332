"""What is known of images for choosing the next one, never of two versions at once. No Qt, no engine."""

from collections.abc import Collection, Iterable, Mapping

from segstudio.labels.model import ImageId
from segstudio.tasks.learning.next_images import Description, Order

__all__ = ["Descriptions"]


class Descriptions:
    """What the version in force says; until everything was asked of it once, orders go by what the one before said.

    What an image looks like is no version's matter: for `Order.DIFFERENT` all is of use that was ever said.
    """

    def __init__(self) -> None:
        self._version = self._ranked_by = ""
        self._ranking: dict[ImageId, Description] = {}
        self._coming = self._ranking
        self._looks: dict[ImageId, Description] = {}
        self._passed_over: set[ImageId] = set()

    def follow(self, version: str) -> None:
        """This version is in force from now on."""
        if version == self._version:
            return
        if not self._ranking:
            self._ranked_by = version  # part of what is known is better than nothing
        self._version = version
        self._coming = self._ranking if version == self._ranked_by else {}
        self._passed_over = set()

    def note(self, order: Order, image: ImageId, description: Description) -> bool:
        """Keep what the version in force says of an image; whether this order goes by it already."""
        self._coming[image] = self._looks[image] = description
        return order is Order.DIFFERENT or self._coming is self._ranking

    def asked(self, order: Order, images: Iterable[ImageId]) -> None:
        """All that this order wants was asked of the version in force, these last: it has no more to say of them."""
        self.pass_over(images)
        if order is not Order.DIFFERENT:
            self._ranking, self._ranked_by = self._coming, self._version

    def pass_over(self, images: Iterable[ImageId]) -> None:
        """Ask for none of these again until another version is in force, or somebody wants it."""
        self._passed_over.update(images)

    def try_again(self) -> None:
        """Ask again for what was passed over."""
        self._passed_over.clear()

    def forget(self, image: ImageId) -> None:
        """It holds something else by now."""
        for said in (self._ranking, self._coming, self._looks):
            said.pop(image, None)
        self._passed_over.discard(image)

    def known(self, order: Order) -> Mapping[ImageId, Description]:
        """What an order goes by."""
        return self._looks if order is Order.DIFFERENT else self._ranking

    def lacking(self, order: Order, images: Collection[ImageId]) -> list[ImageId]:
        """Which of these are to be asked of the version in force."""
        said = self._looks if order is Order.DIFFERENT else self._coming
        if order is Order.DISPUTED:
            said = {image: found for image, found in said.items() if found.disputed is not None}
        return [image for image in images if image not in said and image not in self._passed_over]
