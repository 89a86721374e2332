"""The versions that can propose, with their figures and why each was promoted or not; one click uses another."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import QApplication, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from segstudio.app.values import ModelView
from segstudio.text import _
from segstudio.ui.panels.controls import role_label
from segstudio.ui.text import version_words, wrapped

if TYPE_CHECKING:
    from PySide6.QtWidgets import QTreeWidget, QTreeWidgetItem

    from segstudio.app.open_project import OpenedProject
    from segstudio.app.session import Session
    from segstudio.app.values import VersionItem

__all__ = ["TrainingVersions"]

_ROW_H = 26
_WIDTHS = (104, 104, 0, 116, 140)


class TrainingVersions(QWidget):
    """The table `versionList`, made when it is first shown; in each row `useVersion-NAME` and `compareVersion-NAME`."""

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._notices = session.notices
        self._project: OpenedProject | None = None
        self._table: QTreeWidget | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self._column.addWidget(
            role_label(
                _("After each run, the version that does better on held-out pixels proposes. You can choose another."),
                "muted",
            )
        )
        session.projectChanged.connect(lambda: self.follow(session.project))
        self.follow(session.project)

    def follow(self, project: "OpenedProject | None") -> None:
        """List the versions of this project."""
        self._project = project
        if project is not None:
            project.versions.changed.connect(self.refresh)

    @property
    def table(self) -> "QTreeWidget | None":
        """The table; None until it is shown."""
        return self._table

    def refresh(self) -> None:
        """Fill the table again, if it is on screen."""
        if not self.isVisible():
            return
        table = self._table = self._table or self._make_table()
        table.clear()
        for item in self._project.versions.items() if self._project is not None else ():
            self._add(table, item)

    def _add(self, table: "QTreeWidget", item: "VersionItem") -> None:
        from PySide6.QtWidgets import QTreeWidgetItem

        row = QTreeWidgetItem(table, [version_words(item.name), _figures(item), _verdict(item), _when(item.made)])
        row.setToolTip(0, _origin(item))
        row.setToolTip(1, _("Mean IoU on the same held-out pixels: the previous version → this version"))
        row.setToolTip(2, wrapped(item.reason or row.text(2)))
        font = row.font(0)
        font.setBold(item.current)
        row.setFont(0, font)
        row.setSizeHint(0, QSize(0, _ROW_H))
        cell = QWidget()
        inside = QHBoxLayout(cell)
        inside.setContentsMargins(4, 2, 4, 2)
        inside.setSpacing(4)
        inside.addWidget(self._choice(row, item), 1)
        if item.has_weights and not item.current:
            inside.addWidget(self._comparison(row, item))
        table.setItemWidget(row, 4, cell)

    def _choice(self, row: "QTreeWidgetItem", item: "VersionItem") -> QWidget:
        if item.current:
            label = role_label(_("in use"), "accent")
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            return label
        if not item.has_weights:
            label = role_label(_("weights not kept"), "muted")
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setToolTip(
                wrapped(_("A round of Keep learning that was not promoted: its figures and curves are kept"))
            )
            return label
        words = _("Use {version} for proposals from now on; they are made again", version=row.text(0))
        button = _button(f"useVersion-{item.name}", _("Use"), words)
        button.setEnabled(self._project is not None and self._project.may_write)
        button.clicked.connect(lambda: self._use(item.name))
        return button

    def _comparison(self, row: "QTreeWidgetItem", item: "VersionItem") -> QPushButton:
        words = _("Show where the proposal differs from that of {version}, on the image", version=row.text(0))
        button = _button(f"compareVersion-{item.name}", _("Compare"), words)
        button.clicked.connect(lambda: self._compare(item.name))
        return button

    def _compare(self, name: str) -> None:
        if self._project is not None:
            self._project.views.compare_with(name)
            self._project.views.show(ModelView.DIFFERENCE)

    def _use(self, name: str) -> None:
        """Use a version; if it has gone since the table was filled, report that and fill the table again."""
        focus = QApplication.focusWidget()
        # The focused button is deleted with its row, and Qt would give the focus to some other widget.
        if self._table is not None and focus is not None and self._table.isAncestorOf(focus):
            self._table.setFocus()
        project = self._project
        if project is not None and not self._notices.attempt(lambda: project.versions.use(name)):
            QTimer.singleShot(0, self, self.refresh)

    def _make_table(self) -> "QTreeWidget":
        from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget

        table = QTreeWidget()
        table.setObjectName("versionList")
        table.setAccessibleName(_("Versions"))
        table.setRootIsDecorated(False)
        table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        table.setUniformRowHeights(True)
        table.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.setHeaderLabels([_("Version"), _("Held-out IoU"), _("Verdict"), _("Made"), ""])
        header = table.header()
        header.setStretchLastSection(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column, width in enumerate(_WIDTHS):
            mode = QHeaderView.ResizeMode
            header.setSectionResizeMode(column, mode.Fixed if width else mode.Stretch)
            if width:
                header.resizeSection(column, width)
        self._column.addWidget(table, 1)
        return table


def _button(name: str, text: str, words: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setProperty("role", "small")
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setToolTip(words)
    button.setAccessibleName(words)
    return button


def _figures(item: "VersionItem") -> str:
    now = "–" if item.now is None else f"{item.now:.3f}"
    return now if item.before is None else f"{item.before:.3f} → {now}"


def _verdict(item: "VersionItem") -> str:
    if not item.made:
        if item.name == "embedded":
            return _("Used until two classes are labelled")
        return _("Learns from your labels within seconds")
    verdict = _("promoted") if item.promoted else _("not promoted")
    if _repeats(item):
        # The whole reason is in the tooltip; here it would be cut off.
        return verdict
    return f"{verdict} · {item.reason}" if item.reason else verdict


def _repeats(item: "VersionItem") -> bool:
    """Whether the reason only repeats the column of figures, as for a simple rise or fall."""
    if item.before is None or item.now is None:
        return False
    return item.reason.rstrip(".").endswith(f"from {item.before:.3f} to {item.now:.3f}")


def _origin(item: "VersionItem") -> str:
    if not item.made:
        if item.name == "embedded":
            return _("The network that comes with SegStudio; used until two classes are labelled")
        return _("Learns again at every proposal; used until a version is promoted")
    return _("Learned from {parent}", parent=version_words(item.parent))


def _when(made: str) -> str:
    from datetime import datetime

    return datetime.fromisoformat(made).astimezone().strftime("%Y-%m-%d %H:%M") if made else "–"
