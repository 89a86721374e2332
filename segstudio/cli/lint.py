"""`segstudio lint`."""

from argparse import Namespace
from typing import TYPE_CHECKING

from segstudio.cli.opening import opened
from segstudio.cli.output import say, say_json
from segstudio.cli.parser import CommandParser, at_least
from segstudio.cli.progress import shown
from segstudio.text import N_, _, count

if TYPE_CHECKING:
    from segstudio.labels.lint.finding import Finding, LintKind
    from segstudio.tasks.labels.lint import LintReport, MendReport

__all__ = ["arguments", "run"]

_MENDED = ("speck", "pinhole", "unknown-in-done", "unused-class")
_MIN_AREA_PX = 9
_LISTED = 10
"""So many findings of a kind are listed for people; --json has all."""

_KIND_WORDS = {
    "speck": N_("specks"),
    "pinhole": N_("pinholes"),
    "touching": N_("objects that touch"),
    "unknown-in-done": N_("unlabelled but done"),
    "nearly-empty-class": N_("nearly empty classes"),
    "unused-class": N_("unused classes"),
}


def arguments(parser: CommandParser) -> None:
    """Describe the command and its options."""
    parser.describe(
        "Look for faults in the labels: specks (8-connected parts of a class below --min-area, in an image where\n"
        "the class has a larger one), pinholes (4-connected holes below it), objects of one instance class that\n"
        "share an edge, unlabelled areas of done images, classes below 100 pixels in the project, and unused ones.\n"
        "The exit status is 0 whatever is found. Nothing is changed, unless --mend is given.\n\n"
        "--mend makes a speck what surrounds it, a pinhole part of the object around it, what is unlabelled in a\n"
        "done image background, and takes unused classes out of use. What is locked stays as it is. Each kind is\n"
        "written in one go or not at all, and undone as one. Objects that touch and nearly empty classes are\n"
        "listed only: whether they are right, only a person can say.",
        "segstudio lint leaves.segstudio",
        "segstudio lint leaves.segstudio --min-area 30 --json",
        "segstudio lint leaves.segstudio --mend speck pinhole",
    )
    parser.add_project()
    parser.add_argument(
        "--min-area",
        metavar="N",
        type=at_least(1),
        default=_MIN_AREA_PX,
        help=_("parts and holes of fewer pixels are found (default: {n})", n=_MIN_AREA_PX),
    )
    parser.add_argument(
        "--mend",
        metavar="KIND",
        nargs="+",
        choices=_MENDED,
        default=[],
        help=_("mend all of these kinds: {kinds}", kinds=", ".join(_MENDED)),
    )
    parser.add_json()


def run(options: Namespace) -> int:
    """Look, or mend and look."""
    from segstudio.labels.lint.finding import LintKind
    from segstudio.tasks.labels.lint import lint, mend

    kinds = [LintKind(name) for name in options.mend]
    mended: MendReport | None = None
    with opened(options.project, write=bool(kinds)) as project:
        if kinds:
            mended = shown(mend(project, kinds, below=options.min_area), _("tile"))
        report = mended.after if mended is not None else shown(lint(project, below=options.min_area), _("tile"))
    if options.json:
        say_json({**report.as_json(), **(_mended_json(mended) if mended is not None else {})})
        return 0
    if mended is not None:
        for kind in mended.mended:
            say(_mended_words(kind, mended.mended[kind], mended.left[kind]))
    _say_report(report, again=mended is not None)
    return 0


def _mended_json(report: "MendReport") -> dict[str, dict[str, int]]:
    return {
        "mended": {kind.value: number for kind, number in report.mended.items()},
        "left": {kind.value: number for kind, number in report.left.items()},
    }


def _mended_words(kind: "LintKind", number: int, left: int) -> str:
    said = _("{kind}: {n} mended", kind=_(_KIND_WORDS[kind]), n=f"{number:,}")
    if not left:
        return said
    locked = count(
        left,
        "{n} left as it is, since something there is locked",
        "{n} left as they are, since something there is locked",
    )
    return _("{mended}, {left}", mended=said, left=locked)


def _say_report(report: "LintReport", *, again: bool) -> None:
    images = count(len(report.paths), "{n} image", "{n} images")
    if not report.findings:
        nothing = _("Nothing is left to mend in {images}.", images=images)
        say(nothing if again else _("No faults were found in the labels of {images}.", images=images))
        return
    rows = [(_("kind"), _("findings"), _("images"), _("pixels"))]
    listed: list[tuple[str, list[Finding]]] = []
    for kind, words in _KIND_WORDS.items():
        found = [one for one in report.findings if one.kind == kind]
        if found:
            places = {one.image for one in found} - {None}
            pixels = sum(one.pixels for one in found)
            rows.append((_(words), f"{len(found):,}", f"{len(places):,}" if places else "-", f"{pixels:,}"))
            listed.append((_(words), found))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for name, *numbers in rows:
        say("  ".join((name.ljust(widths[0]), *(n.rjust(w) for n, w in zip(numbers, widths[1:], strict=True)))))
    for words, found in listed:
        say("")
        say(f"{words}:")
        for one in found[:_LISTED]:
            say(f"  {_line(one, report)}")
        if len(found) > _LISTED:
            say(_("  and {n} more; --json lists all", n=f"{len(found) - _LISTED:,}"))


def _line(found: "Finding", report: "LintReport") -> str:
    """One finding for people: where it is, of what class, how large."""
    name = "" if found.class_id is None else report.classes[found.class_id].name
    if found.image is None or found.rect is None:
        return name
    path, rect = report.paths[found.image], found.rect
    pixels = count(found.pixels, "{n} pixel", "{n} pixels")
    if found.plane:
        place = _(
            "{path}, plane {plane} (counted from 0), at {x}, {y}", path=path, plane=found.plane, x=rect.x, y=rect.y
        )
    else:
        place = _("{path} at {x}, {y}", path=path, x=rect.x, y=rect.y)
    return ", ".join(filter(None, (place, name, pixels)))
