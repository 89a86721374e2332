"""The benchmark of separation tunes on some pictures and measures on others."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks import separating


def test_a_row_says_what_tuning_gains_on_other_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    masks = tmp_path / "cells" / "masks"
    masks.mkdir(parents=True)
    for n in range(2):
        drawn = np.zeros((256, 256), np.uint16)
        for k in range(12):  # objects with a waist, which the default cuts in two
            x, y = 40 + n + 80 * (k % 3), 30 + 62 * (k // 3)
            for side in (-13, 13):
                cv2.circle(drawn, (x + side, y), 15, k + 1, -1)
        assert cv2.imwrite(str(masks / f"{n}.png"), drawn)
    monkeypatch.setattr("sys.argv", ["separating.py", str(tmp_path), "--sets", "cells"])
    separating.main()
    true, soft = capsys.readouterr().out.splitlines()[2:]
    assert true.startswith("| cells, true | 12 |")
    assert true.endswith("| 0.667 | 1.000 |")
    assert soft.startswith("| cells, soft | 12 |")
