"""Hold an image out, or let it be learned from; what stands against it is said."""

from concurrent.futures import Future

from segstudio.labels.model import ImageId
from segstudio.store.catalog import roles
from segstudio.store.catalog.roles import Moved
from segstudio.store.project import Project

__all__ = ["Moved", "hold_out"]


def hold_out(project: Project, image: ImageId, *, held: bool) -> "Future[Moved]":
    """Change the role of an image's group; the future says which images have another role now.

    The future raises `UserError` where a version, or a run under way, stands against it. Raises `ReadOnly`.
    """
    return project.writing().call(lambda db: roles.hold_out(db, image, held=held))
