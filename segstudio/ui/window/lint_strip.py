"""The strip that says, when a run or an export begins, what was found in the labels; nothing waits for an answer."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton

from segstudio.labels.lint.finding import LintKind
from segstudio.text import _, count
from segstudio.ui.panels.two_lines import TwoLines
from segstudio.ui.window.icons import pixmap
from segstudio.ui.window.notice_stack import PassingStrip, close_button

if TYPE_CHECKING:
    from collections.abc import Callable

    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session

__all__ = ["LintStrip"]


class LintStrip(PassingStrip):
    """`lintStrip`, with `lintShow` and `lintClose`; shown until the findings are looked at, closed or mended.

    `show_findings` lists them.
    """

    def __init__(self, session: "Session", show_findings: "Callable[[], object]") -> None:
        super().__init__()
        self._project: OpenedProject | None = None
        self._show_findings = show_findings
        self.setObjectName("lintStrip")
        self.setProperty("role", "strip")
        self.setAccessibleName(_("Check of labels"))
        sign = QLabel()
        sign.setPixmap(pixmap("check", "muted"))
        self.text = TwoLines()
        self.text.setObjectName("lintText")
        self.show_button = QPushButton(_("Show"))
        self.show_button.setObjectName("lintShow")
        self.show_button.setToolTip(_("List the findings, to see each in its place and mend it"))
        self.show_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.close_button = close_button("lintClose")
        self.lay_out(sign, self.text, self.show_button, self.close_button)
        self.show_button.clicked.connect(self._list)
        self.close_button.clicked.connect(self.dismiss)
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """Say nothing more of the project before."""
        self._project = project
        if project is not None:
            project.lint.reminded.connect(self._remind)
            project.lint.changed.connect(lambda: self.isHidden() or self._follow_findings())
        self.hide()

    def _remind(self) -> None:
        self._follow_findings()
        self.show()
        self.spoke.emit()

    def _follow_findings(self) -> None:
        """What is mended goes from the sentence too."""
        counts = self._project.lint.counts if self._project is not None else {}
        self.text.setText(
            _("Found in the labels: {kinds}.", kinds=", ".join(_counted(kind, n) for kind, n in counts.items()))
        )
        if not counts:
            self.hide()

    def _list(self) -> None:
        self.hide()
        self._show_findings()


def _counted(kind: LintKind, n: int) -> str:
    match kind:
        case LintKind.MISTAKE:
            return count(n, "1 probable mistake", "{n} probable mistakes")
        case LintKind.SPECK:
            return count(n, "1 speck", "{n} specks")
        case LintKind.PINHOLE:
            return count(n, "1 pinhole", "{n} pinholes")
        case LintKind.TOUCHING:
            return count(n, "1 pair of touching objects", "{n} pairs of touching objects")
        case LintKind.UNKNOWN_IN_DONE:
            return count(n, "1 unlabelled area in a done image", "{n} unlabelled areas in done images")
        case LintKind.NEARLY_EMPTY_CLASS:
            return count(n, "1 nearly empty class", "{n} nearly empty classes")
        case LintKind.UNUSED_CLASS:
            return count(n, "1 unused class", "{n} unused classes")
