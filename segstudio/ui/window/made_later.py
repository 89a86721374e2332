"""Parts of a window that are made when they are first asked for: it starts without them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segstudio.ui.dialogs.snapshots import SnapshotsDialog
    from segstudio.ui.palette.command_palette import CommandPalette
    from segstudio.ui.window.main_window import MainWindow

__all__ = ["MadeLater"]


class MadeLater:
    """`snapshots` is the window of snapshots, `palette` the field that finds everything by its name."""

    def __init__(self, window: "MainWindow") -> None:
        self._window = window
        self._snapshots: SnapshotsDialog | None = None
        self._palette: CommandPalette | None = None

    @property
    def snapshots(self) -> "SnapshotsDialog":
        """The snapshots window."""
        from segstudio.ui.dialogs.snapshots import SnapshotsDialog

        if self._snapshots is None:
            self._snapshots = SnapshotsDialog(self._window.session, self._window)
        return self._snapshots

    @property
    def palette(self) -> "CommandPalette":
        """The command palette."""
        from segstudio.ui.palette.command_palette import CommandPalette

        if self._palette is None:
            self._palette = CommandPalette(self._window)
        return self._palette
