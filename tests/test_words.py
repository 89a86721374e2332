"""Every sentence that a person reads comes through the catalogue: in the code, and in what Babel extracts."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from segstudio import errors

PACKAGE = Path(errors.__file__).parent
MARKS = {"_": (0,), "N_": (0,), "count": (1, 2)}
"""Which arguments of which functions of `segstudio.text` are sentences."""


@cache
def _modules() -> tuple[tuple[Path, ast.Module], ...]:
    return tuple((file, ast.parse(file.read_text("utf-8"))) for file in sorted(PACKAGE.rglob("*.py")))


def _calls() -> Iterator[tuple[str, ast.Call, str]]:
    for file, tree in _modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                named = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                yield f"{file.relative_to(PACKAGE)}:{node.lineno}", node, named


def _sentences() -> Iterator[tuple[str, ast.Call, str]]:
    """Where a sentence is written out, its call, and its words."""
    for where, call, name in _calls():
        if name in MARKS and isinstance(call.func, ast.Name) and file_of(where) != "text.py":
            for at in MARKS[name]:
                if at < len(call.args) and isinstance(value := call.args[at], ast.Constant):
                    yield where, call, str(value.value)


def file_of(where: str) -> str:
    return where.partition(":")[0]


def test_no_sentence_is_put_together_before_it_is_translated() -> None:
    glued = [
        where
        for where, call, name in _calls()
        if name in MARKS and isinstance(call.func, ast.Name)
        for at in MARKS[name]
        if at < len(call.args) and isinstance(call.args[at], ast.JoinedStr | ast.BinOp)
    ]
    assert glued == []


def test_every_field_of_a_sentence_has_a_name_and_a_value() -> None:
    wrong = []
    for where, call, words in _sentences():
        fields = (
            set(re.findall(r"(?<!\{)\{(\w*)[^{}]*\}", words))
            if call.keywords or "count" in ast.dump(call.func)
            else set()
        )
        given = {keyword.arg for keyword in call.keywords} | (
            {"n"} if getattr(call.func, "id", "") == "count" else set()
        )
        if None not in given and not fields <= given:
            wrong.append(f"{where}: {fields - given}")
    assert wrong == []


def test_nothing_is_translated_by_qt() -> None:
    assert [where for where, _call, name in _calls() if name in ("tr", "translate", "QTranslator")] == []


def _errors() -> set[str]:
    found = {
        name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.UserError)
    }
    for _file, tree in _modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and {getattr(base, "id", "") for base in node.bases} & found:
                found.add(node.name)
    return found


def test_every_error_says_its_sentence_through_the_catalogue() -> None:
    kinds = _errors()
    plain = []
    for where, call, name in _calls():
        if name in kinds:
            said = [*call.args[:1], *(k.value for k in call.keywords if k.arg in ("safe", "todo"))]
            plain += [
                where
                for value in said
                if isinstance(value, ast.JoinedStr) or (isinstance(value, ast.Constant) and " " in str(value.value))
            ]
    assert plain == []


def test_babel_extracts_every_sentence() -> None:
    extract = pytest.importorskip("babel.messages.extract")
    keywords = {"_": None, "N_": None, "count": (2, 3)}
    found: set[str] = set()
    for _file, _line, message, *_rest in extract.extract_from_dir(
        str(PACKAGE), [("**.py", "python")], keywords=keywords
    ):
        found.update([message] if isinstance(message, str) else message)
    assert {words for _where, _call, words in _sentences()} <= found
