import json
import subprocess

import pytest

from segstudio.engine.client import engine_command, engine_environment


@pytest.mark.engine
def test_the_engine_examines_itself_and_prints_one_object():
    found = subprocess.run(
        [*engine_command(), "--doctor"], capture_output=True, text=True, check=True, env=engine_environment()
    )
    assert len(found.stdout.splitlines()) == 1
    report = json.loads(found.stdout)
    assert report["devices"][0] == "cpu"
    assert report["gpu"]["available"] or report["gpu"]["reason"]
    assert {model["name"] for model in report["models"]} == {"imagenet", "base"}
    assert all(model["ok"] and len(model["sha256"]) == 64 for model in report["models"])
    assert report["convolution_s"] > 0
