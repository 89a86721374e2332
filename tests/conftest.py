"""Fixtures that every test can lean on: folders of its own, no network, nothing left running, the open data sets."""

import gc
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from pytestqt.qtbot import QtBot

from segstudio.assets import asset
from segstudio.engine import client, launch
from tests.engine_nursery import CAN_FORK, EngineNursery

CHECKOUT = Path(__file__).resolve().parent.parent
ABSENT = "open data sets are absent"
NO_DATA = f"the {ABSENT} (set SEGSTUDIO_DATA, or put them at ../shared/data)"
LOOPBACK = ("127.", "::1", "localhost")
GRACE_S = 10.0
PATIENCE_MS = 30_000
"""How long is waited for what has to come: how late it comes says how busy the machine is, not whether it is right."""

# Before any Qt is loaded: without a display the tests draw offscreen. Before torch is, here and in all that is started:
# one thread each, for pytest's workers are as many as the cores; and a waiting thread of OpenMP must not spin.
if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

# How long an input takes to make says how busy the machine is, not whether the program is right.
settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")


# --- folders and network ---------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def user_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's settings, data, state and cache lie in a new folder, in this process and in those it starts."""
    home = tmp_path_factory.getbasetemp() / "user" / str(time.monotonic_ns())
    for variable, name in (
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_DATA_HOME", "data"),
        ("XDG_STATE_HOME", "state"),
        ("XDG_CACHE_HOME", "cache"),
        ("LOCALAPPDATA", "local"),
        ("APPDATA", "roaming"),
    ):
        monkeypatch.setenv(variable, str(home / name))
    if sys.platform == "darwin":
        monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wants the network in a test is told so: the program must start and work without it."""
    connect = socket.socket.connect

    def refused(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(host).startswith(LOOPBACK):
            raise AssertionError(f"a test wanted the network: {address!r}")
        connect(self, address)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(socket.socket, "connect", refused)


# --- engines ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def engines_are_forked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineNursery | None]:
    """Where the system can, engines are forked from a process that has loaded torch, one a worker of pytest."""
    if not CAN_FORK:
        yield None
        return
    nursery = EngineNursery(tmp_path_factory.mktemp("nursery") / "log")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "start_engine", nursery.start)
        yield nursery
    nursery.close()


@pytest.fixture
def own_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here an engine is started as the program starts it."""
    monkeypatch.setattr(client, "start_engine", launch.start_engine)


# --- data ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of the open data sets (``train``, ``evaluate``, ``interactive``, ``robust``); skips where it is absent."""
    named = os.environ.get("SEGSTUDIO_DATA")
    folder = Path(named) if named else CHECKOUT.parent / "shared" / "data"
    if not (folder / "evaluate").is_dir():
        pytest.skip(NO_DATA)
    return folder


@pytest.fixture(scope="session")
def sample_dir() -> Path:
    """Folder of the embedded sample: ``sample.json``, a folder a project with ``images`` and ``masks``, ``play``."""
    return asset("sample")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end how many tests had no data to run on."""
    skipped = [r for r in terminalreporter.getreports("skipped") if ABSENT in str(r.longrepr)]
    if skipped:
        terminalreporter.write_sep("-", "skipped for want of data")
        terminalreporter.write_line(f"{len(skipped)} tests did not run: {NO_DATA}.")


# --- waiting ---------------------------------------------------------------------------------------------------------


class PatientBot(QtBot):
    """Hands for Qt that wait long enough on a machine that does much else: 5 s, as they would, are too few."""

    def waitUntil(self, callback: Callable[[], bool | None], *, timeout: int = PATIENCE_MS) -> None:
        """Handle events until it holds."""
        super().waitUntil(callback, timeout=timeout)

    def waitSignal(self, signal: Any, *, timeout: int = PATIENCE_MS, **options: Any) -> Any:
        """Handle events until the signal comes."""
        return super().waitSignal(signal, timeout=timeout, **options)


@pytest.fixture
def qtbot(qapp: object, request: pytest.FixtureRequest) -> QtBot:
    """Hands for Qt, from pytest-qt."""
    return PatientBot(request)


# --- nothing left behind ---------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test of the window fails when it leaves a thread, a QThread, an active QTimer or a top-level widget behind.

    It stands before `qtbot` (autouse fixtures come first), so what `qtbot` closes is closed when this looks. A test
    that shares the run's one engine process carries the mark `engine`: threads that serve it, named `engine...`, may
    live on.
    """
    if "qapp" not in request.fixturenames:
        yield
        return
    threads = set(threading.enumerate())
    # What is there already is set aside from the collector: looking through all that torch has made would take longer
    # than most tests of the window.
    gc.collect()
    gc.freeze()
    qt_before = _living_qt()
    yield
    shared = ("engine",) if request.node.get_closest_marker("engine") else ()
    left = _left_after_grace(threads, qt_before, shared)
    assert not left, "left behind: " + "; ".join(left)


def _left_after_grace(threads: set[threading.Thread], qt_before: set[int], shared: tuple[str, ...]) -> list[str]:
    """What is still there after up to GRACE_S seconds of handling deferred deletes."""
    from PySide6.QtCore import QCoreApplication, QEvent

    end = time.monotonic() + GRACE_S
    while True:
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        left = [f"thread {t.name}" for t in threading.enumerate() if t not in threads and not _allowed(t, shared)]
        left += [text for key, text in _qt_objects() if key not in qt_before]
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.02)


def _allowed(thread: threading.Thread, shared: tuple[str, ...]) -> bool:
    """The thread that draws images is one for all windows, and ends with the process."""
    return type(thread).__name__ == "TMonitor" or thread.name.startswith(("canvas-draw", "blocks", *shared))


def _living_qt() -> set[int]:
    return {key for key, _ in _qt_objects()} if "PySide6.QtWidgets" in sys.modules else set()


def _qt_objects() -> list[tuple[int, str]]:
    """(address, words) of every top-level widget, and of running QThreads and active QTimers of this test.

    A menu or the list of a combo box counts as the window that it belongs to.
    """
    import shiboken6
    from PySide6.QtCore import QThread, QTimer
    from PySide6.QtWidgets import QApplication

    found: list[tuple[int, str]] = []
    for widget in QApplication.topLevelWidgets():
        owner = widget
        while (parent := owner.parentWidget()) is not None:
            owner = parent
        found.append((shiboken6.getCppPointer(owner)[0], f"widget {type(widget).__name__} '{widget.objectName()}'"))
    for thing in gc.get_objects():
        if not isinstance(type(thing), type) or not issubclass(type(thing), QThread | QTimer):
            continue
        if not shiboken6.isValid(thing):
            continue
        if isinstance(thing, QTimer) and thing.isActive():
            found.append((id(thing), f"timer of {thing.parent()!r}"))
        elif isinstance(thing, QThread) and thing.isRunning() and thing is not QThread.currentThread():
            found.append((id(thing), f"QThread {thing.objectName()!r}"))
    return found
