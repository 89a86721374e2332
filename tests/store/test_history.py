from segstudio.geometry import Rect
from segstudio.labels.class_rows import changed_class_row, new_class_row
from segstudio.labels.edit import Edit
from segstudio.labels.model import Cause, ClassId, ImageId, Kind, LabelClass, Seq
from segstudio.labels.tiles.tile import EMPTY
from segstudio.store.history.undo_list import History, load_history
from segstudio.store.project import Project
from tests.store.store_painting import CELL, FIRST, VESSEL, commit, flushed, paint, painted, redo, undo

SECOND = ImageId(2)


def _submit(project: Project, edit: Edit) -> Seq:
    assert project.writer is not None
    return project.writer.submit(edit)


def _add_class(project: Project, name: str) -> tuple[Seq, ClassId]:
    id_, value = project.next_class()
    made = LabelClass(id_, name, "#112233", Kind.INSTANCE, value, int(id_))
    return _submit(project, Edit(None, Cause.CLASSES, rows=(new_class_row(made),))), id_


def _take_back(project: Project, seq: Seq, cause: Cause = Cause.UNDO) -> Seq:
    return _submit(project, project.load_edit(seq, lambda _: EMPTY).inverted(seq, cause))


def test_the_history_of_an_image_has_its_own_edits_and_those_of_the_project(project: Project) -> None:
    one, two = project.document(FIRST), project.document(SECOND)
    paint(project, one, Rect(0, 0, 9, 9), CELL)
    paint(project, two, Rect(0, 0, 9, 9), CELL)
    _add_class(project, "nerve")
    flushed(project)
    assert project.history(FIRST).undoable == (1, 3)
    assert project.history(SECOND).undoable == (2, 3)


def test_a_new_edit_ends_redo_in_its_own_list_only(project: Project) -> None:
    one, two = project.document(FIRST), project.document(SECOND)
    for document in (one, two):
        undo(project, document, paint(project, document, Rect(0, 0, 9, 9), CELL))
    paint(project, one, Rect(0, 0, 5, 5), VESSEL)
    flushed(project)
    assert project.history(FIRST).redoable == ()
    assert project.history(SECOND).redoable == (4,)
    _add_class(project, "nerve")
    flushed(project)
    assert project.history(SECOND).redoable == ()


def test_a_project_wide_undo_is_redone_from_another_image_though_redo_has_ended_here(project: Project) -> None:
    seq, _ = _add_class(project, "nerve")
    undone = _take_back(project, seq)
    here = project.history(FIRST)
    document = project.document(FIRST)
    edit = painted(document, Rect(0, 0, 9, 9), 1, new_class=CELL)
    here.record(commit(project, document, edit), edit)
    flushed(project)
    read_later = project.history(FIRST)
    again = project.load_edit(undone, lambda _: EMPTY).inverted(undone, Cause.REDO)
    number = _submit(project, again)
    flushed(project)
    for history in (here, read_later):
        assert history.redoable == ()
        history.record(number, again)
        assert (history.undoable, history.redoable) == ((1, 3), ())
    assert project.history(FIRST).undoable == (1, 3)


def test_several_undone_edits_are_redone_in_the_order_they_were_made(project: Project) -> None:
    document = project.document(FIRST)
    seqs = [paint(project, document, Rect(20 * i, 0, 9, 9), CELL) for i in range(3)]
    undone = [undo(project, document, seq) for seq in reversed(seqs)]
    flushed(project)
    assert project.history(FIRST).redoable == tuple(undone)
    redo(project, document, undone[-1])
    flushed(project)
    history = project.history(FIRST)
    assert (history.undoable, history.next_redo()) == ((1,), undone[-2])
    # The edit that came back can be taken back once more.
    undo(project, document, Seq(1))
    flushed(project)
    assert project.history(FIRST).next_redo() == 8


def test_a_long_history_is_read_in_parts(project: Project) -> None:
    document = project.document(FIRST)
    for i in range(9):
        paint(project, document, Rect(20 * i, 0, 9, 9), CELL)
    flushed(project)
    with project.reading() as db:
        newest = load_history(db, FIRST, limit=4)
        assert (newest.undoable, newest.more) == ((6, 7, 8, 9), True)
        newest.extend(load_history(db, FIRST, limit=4, before=newest.undoable[0]))
        assert (newest.undoable, newest.more) == ((2, 3, 4, 5, 6, 7, 8, 9), True)
        newest.extend(load_history(db, FIRST, limit=4, before=newest.undoable[0]))
        assert (newest.undoable[0], newest.more) == (1, False)


def test_opening_a_history_scans_no_edits(project: Project) -> None:
    paint(project, project.document(FIRST), Rect(0, 0, 9, 9), CELL)
    flushed(project)
    with project.reading() as db:
        asked: list[str] = []
        db.set_trace_callback(asked.append)
        load_history(db, FIRST)
        db.set_trace_callback(None)
        plans = [row[3] for sql in asked for row in db.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert plans
    assert all("USING INDEX" in plan or "USING COVERING INDEX" in plan or "PRIMARY KEY" in plan for plan in plans), (
        plans
    )


def test_record_of_another_image_changes_nothing() -> None:
    history = History(FIRST, [Seq(1)])
    history.record(Seq(2), Edit(SECOND, Cause.PAINT))
    assert history.undoable == (1,)


def test_a_class_in_use_is_not_taken_back_and_the_sentence_names_it(project: Project) -> None:
    seq, nerve = _add_class(project, "nerve")
    assert project.undo_refusal(seq) == ""
    document = project.document(FIRST)
    edit = painted(document, Rect(0, 0, 9, 9), document.next_object, new_class=nerve)
    painted_seq = commit(project, document, edit)
    sentence = project.undo_refusal(seq)
    assert sentence == "Adding the class 'nerve' cannot be undone: it is in use in 'field/0.png'."
    flushed(project)
    assert project.undo_refusal(seq) == sentence
    assert project.undo_refusal(painted_seq) == ""
    undo(project, document, painted_seq)
    assert project.undo_refusal(seq) == ""
    flushed(project)
    assert project.undo_refusal(seq) == ""
    _take_back(project, seq)
    flushed(project)
    assert project.classes().named("nerve") is None


def test_a_changed_kind_is_not_taken_back_once_the_class_has_pixels(project: Project) -> None:
    vessel = project.classes()[ClassId(VESSEL)]
    row = changed_class_row(vessel, kind=Kind.INSTANCE.value)
    seq = _submit(project, Edit(None, Cause.CLASSES, rows=(row,)))
    flushed(project)
    assert project.undo_refusal(seq) == ""
    document = project.document(FIRST)
    paint(project, document, Rect(0, 0, 9, 9), VESSEL)
    flushed(project)
    assert project.undo_refusal(seq).startswith("The change of kind of the class 'vessel' cannot be undone")


def test_id_and_value_of_a_class_that_was_taken_back_are_never_given_again(project: Project) -> None:
    seq, nerve = _add_class(project, "nerve")
    undone = _take_back(project, seq)
    _, bone = _add_class(project, "bone")
    flushed(project)
    assert (nerve, bone) == (4, 5)
    assert [(c.name, c.value) for c in project.classes()][-1] == ("bone", 4)
    assert project.history(FIRST).redoable == ()
    assert undone == 2


def test_a_renamed_class_keeps_its_value_and_undo_gives_the_name_back(project: Project) -> None:
    cell = project.classes()[ClassId(CELL)]
    seq = _submit(project, Edit(None, Cause.CLASSES, rows=(changed_class_row(cell, name="Nucleus"),)))
    flushed(project)
    renamed = project.classes().named("nucleus")
    assert renamed is not None
    assert (renamed.id, renamed.value) == (CELL, 1)
    _take_back(project, seq)
    flushed(project)
    assert project.classes()[ClassId(CELL)] == cell
