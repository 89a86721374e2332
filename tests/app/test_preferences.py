"""A person's preferences survive, and whatever stands in their file does no harm."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segstudio.app import kept_preferences
from segstudio.app.kept_preferences import KeptPreferences
from segstudio.app.notices import Notices
from segstudio.app.preferences import Preferences, load_preferences, save_preferences

FILE = Path("config") / "segstudio" / "preferences.json"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = list(Preferences.__dataclass_fields__)


def test_what_is_saved_comes_back() -> None:
    wanted = Preferences(brush_radius=7.5, show_proposals=False, recent_projects=["/a b/ü.segstudio"])
    save_preferences(wanted)
    assert load_preferences() == wanted


def test_without_a_file_there_are_the_defaults() -> None:
    assert load_preferences() == Preferences()


@pytest.mark.parametrize("text", ["", "no json", "[1, 2]", '"text"', "\x00\xff", "{"])
def test_a_file_that_is_no_object_gives_the_defaults(user_folders: Path, text: str) -> None:
    file = user_folders / FILE
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    assert load_preferences() == Preferences()


@given(st.dictionaries(st.sampled_from([*NAMES, "another"]), JSON))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_wrong_values_are_as_good_as_none_and_right_ones_stay(user_folders: Path, found: dict[str, object]) -> None:
    file = user_folders / FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({**found, "last_folder": "/kept"}), encoding="utf-8")
    loaded = load_preferences()
    assert loaded.last_folder == "/kept"
    standard = Preferences()
    for name in NAMES:
        assert type(getattr(loaded, name)) is type(getattr(standard, name))
    save_preferences(loaded)
    assert load_preferences() == loaded


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("theme", "purple"),
        ("overlay_opacity", 0),
        ("overlay_opacity", 7.5),
        ("proposal_opacity", -1),
        ("brush_radius", -4),
        ("brush_radius", 1e9),
        ("brush_radius", 1000.5),
        ("language", "klingon"),
        ("language", ""),
        ("automatic_proposals", "no"),
    ],
)
def test_a_value_that_cannot_be_gives_the_default(user_folders: Path, name: str, value: object) -> None:
    file = user_folders / FILE
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({name: value, "last_folder": "/kept"}), encoding="utf-8")
    assert load_preferences() == Preferences(last_folder="/kept")


def test_not_a_number_is_no_opacity(user_folders: Path) -> None:
    file = user_folders / FILE
    file.parent.mkdir(parents=True)
    file.write_text('{"overlay_opacity": NaN, "proposal_opacity": Infinity}', encoding="utf-8")
    assert load_preferences() == Preferences()


@pytest.fixture
def kept(qtbot: Any) -> Iterator[KeptPreferences]:
    notices = Notices()
    made = KeptPreferences(notices)
    yield made
    made.close()
    notices.close()


@pytest.mark.parametrize(
    ("name", "value"), [("overlay_opacity", 7), ("theme", "purple"), ("language", "klingon"), ("last_folder", None)]
)
def test_a_value_that_cannot_be_is_not_preferred(kept: KeptPreferences, name: str, value: object) -> None:
    before = kept.current
    with pytest.raises(ValueError, match=name):
        kept.prefer(**{name: value})
    assert kept.current is before


def test_what_is_preferred_while_a_write_is_refused_is_written_next(
    qtbot: Any, kept: KeptPreferences, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work, go_on, tried = threading.Event(), threading.Event(), list[float]()

    def refuses_once(preferences: Preferences) -> None:
        tried.append(preferences.overlay_opacity)
        if len(tried) == 1:
            at_work.set()
            go_on.wait(10)
            raise OSError(28, "No space left on device")
        save_preferences(preferences)

    monkeypatch.setattr(kept_preferences, "save_preferences", refuses_once)
    kept.prefer(overlay_opacity=0.5)
    assert at_work.wait(10)
    kept.prefer(overlay_opacity=0.7)
    go_on.set()
    qtbot.waitUntil(lambda: load_preferences().overlay_opacity == 0.7)
    assert tried == [0.5, 0.7]


def test_what_is_refused_is_not_tried_for_ever(
    qtbot: Any, kept: KeptPreferences, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Preferences] = []

    def refuses(preferences: Preferences) -> None:
        tried.append(preferences)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept_preferences, "save_preferences", refuses)
    kept.prefer(overlay_opacity=0.5)
    qtbot.waitUntil(lambda: bool(tried))
    qtbot.wait(50)
    assert len(tried) == 1
