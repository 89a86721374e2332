import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from segstudio.engine import launch
from segstudio.engine.client import EngineClient, engine_environment
from segstudio.engine.protocol import Predict, Target
from segstudio.errors import EngineDied, NoSuchDevice
from segstudio.store.project import Project
from segstudio.tasks.learning.predict import predict
from segstudio.tasks.progress import finished
from tests.engine.conftest import new_project

pytestmark = pytest.mark.engine


def test_the_client_never_imports_torch_and_never_qt():
    code = (
        "import sys, segstudio.engine.client, segstudio.tasks.learning.train, segstudio.tasks.learning.predict;"
        "heavy = ('torch', 'segmentation_models_pytorch', 'PySide6', 'cv2', 'segstudio.learn');"
        "print([m for m in heavy if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=engine_environment()
    )
    assert found.stdout.strip() == "[]"


def test_waiting_threads_do_not_spin():
    assert engine_environment()["OMP_WAIT_POLICY"] == "PASSIVE"


def test_the_device_is_known_when_it_is_ready(engine: EngineClient):
    assert engine.ready() == engine.outcome.device != ""
    assert engine.outcome.state.value == "ready"


def test_the_engine_is_nice(engine: EngineClient):
    engine.ready()
    if not hasattr(os, "getpriority"):
        pytest.skip("this system has no getpriority")
    assert os.getpriority(os.PRIO_PROCESS, engine.pid) == min(os.getpriority(os.PRIO_PROCESS, 0) + 10, 19)


def test_a_device_that_is_not_there_is_said_in_one_sentence(engine: EngineClient, discs_project: Project):
    images = [discs_project.images()[0].id]
    with pytest.raises(NoSuchDevice, match="no device 'cuda:99'"):
        finished(predict(discs_project, engine, images, device="cuda:99"))
    assert finished(predict(discs_project, engine, images)).images == 1


def test_a_killed_engine_starts_again_at_the_next_call(engine: EngineClient, discs_project: Project):
    engine.ready()
    before = engine.pid
    os.kill(before, signal.SIGKILL)
    report = finished(predict(discs_project, engine, [discs_project.images()[0].id]))
    assert report.images == 1
    assert engine.pid != before


def test_an_open_call_learns_that_its_engine_died(engine: EngineClient, discs_project: Project):
    engine.ready()
    image = int(discs_project.images()[0].id)
    call = engine.call(Predict(targets=[Target(image, 0)] * 200))
    os.kill(engine.pid, signal.SIGKILL)
    with pytest.raises(EngineDied, match="signal 9"):
        list(call)
    assert call.ended


def test_closing_a_call_drops_late_answers(engine: EngineClient, discs_project: Project):
    image = int(discs_project.images()[0].id)
    with engine.call(Predict(targets=[Target(image, 0)] * 50)) as call:
        assert next(call) is not None
    assert call.ended
    assert finished(predict(discs_project, engine, [discs_project.images()[1].id])).images == 1


def test_an_idle_engine_ends_and_comes_back(tmp_path: Path):
    project, _ = new_project(tmp_path, 1)
    said: list[str] = []
    with project, EngineClient(project.path, log=tmp_path / "log", idle_s=0.3) as client:
        client.on_state = lambda kind, _device, _sentence: said.append(kind)
        client.ready()
        deadline = time.monotonic() + 30
        while client.pid is not None or said[-1] != "off":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert finished(predict(project, client, [project.images()[0].id])).images == 1
    assert said[:3] == ["starting", "ready", "off"]
    assert said[3:5] == ["starting", "ready"]
    assert "dead" not in said


def test_what_is_asked_as_an_idle_engine_ends_is_asked_of_the_next_and_nothing_died(tmp_path: Path):
    project, _ = new_project(tmp_path, 1)
    said: list[str] = []
    with project, EngineClient(project.path, log=tmp_path / "log", idle_s=0.3) as client:
        client.on_state = lambda kind, _device, _sentence: said.append(kind)
        client.ready()
        post, late = client.post, [True]

        def post_late(message: object) -> None:
            """The first request is on its way when the process decides to end."""
            if late.pop() if late else False:
                deadline = time.monotonic() + 30
                while client.pid is not None and time.monotonic() < deadline:
                    time.sleep(0.02)
            post(message)

        client.post = post_late
        assert finished(predict(project, client, [project.images()[0].id])).images == 1
        assert len(client._deaths) == 0
    assert "dead" not in said
    assert said.count("ready") == 2


def test_what_is_no_project_is_said(tmp_path: Path):
    with EngineClient(tmp_path / "nothing.segstudio", log=tmp_path / "log") as client:
        with pytest.raises(EngineDied, match="not a SegStudio project"):
            client.ready()
        assert client.outcome.state.value == "dead"


def test_three_deaths_in_ten_minutes_are_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(launch, "engine_command", lambda: [sys.executable, "-c", "import sys; sys.exit(3)"])
    with EngineClient(tmp_path, log=tmp_path / "log", clock=lambda: 5.0) as client:
        for _ in range(3):
            with pytest.raises(EngineDied, match="code 3"):
                list(client.call(Predict(targets=[])))
        with pytest.raises(EngineDied, match="3 times within ten minutes"):
            client.call(Predict(targets=[]))


def test_what_a_library_prints_goes_to_the_log_and_not_into_the_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    project, _ = new_project(tmp_path, 1)
    noisy = (
        "import sys, os\n"
        "from segstudio.engine import server\n"
        "old = server.Server.run\n"
        "def run(self):\n"
        "    print('a word from python', flush=True); os.write(1, b'a word from C\\n')\n"
        "    return old(self)\n"
        "server.Server.run = run\n"
        "sys.exit(server.main([]))\n"
    )
    monkeypatch.setattr(launch, "engine_command", lambda: [sys.executable, "-c", noisy])
    with project, EngineClient(project.path, log=tmp_path / "log") as client:
        assert client.ready()
    log = (tmp_path / "log").read_text()
    assert "a word from python" in log
    assert "a word from C" in log


def test_a_stream_that_is_no_message_ends_the_engine_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shouting = (
        "import sys, time; sys.stdout.write('Traceback (most recent call last)\\n'); sys.stdout.flush(); time.sleep(60)"
    )
    monkeypatch.setattr(launch, "engine_command", lambda: [sys.executable, "-c", shouting])
    with EngineClient(tmp_path, log=tmp_path / "log") as client, pytest.raises(EngineDied, match="not a message"):
        client.ready()


def test_a_closed_client_asks_nothing_any_more(tmp_path: Path):
    client = EngineClient(tmp_path, log=tmp_path / "log")
    client.close()
    assert client.closed
    with pytest.raises(EngineDied, match="closed"):
        client.call(Predict(targets=[]))


def test_the_engine_ends_with_its_input(tmp_path: Path, own_start: None):
    project, _ = new_project(tmp_path, 1)
    with project:
        client = EngineClient(project.path, log=tmp_path / "log")
        client.ready()
        process = client._link.process
        process.stdin.close()
        assert process.wait(20) == 0
        client.close()


def test_the_engine_keeps_memory_for_the_next_map_unless_a_person_decided(monkeypatch: pytest.MonkeyPatch):
    assert int(engine_environment()["MALLOC_MMAP_THRESHOLD_"]) >= 256 << 20
    assert int(engine_environment()["MALLOC_TRIM_THRESHOLD_"]) >= 256 << 20
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1000")
    assert engine_environment()["MALLOC_TRIM_THRESHOLD_"] == "1000"
