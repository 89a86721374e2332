"""Embedded models, heads made from them, and weights of versions on disk."""

import json
import os
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from torch import nn

from segstudio.assets import asset
from segstudio.errors import DiskRefused, WeightsDamaged
from segstudio.learn import weights
from segstudio.learn.networks import build, head_conv
from segstudio.learn.weights import (
    EMBEDDED,
    base_for,
    check_model,
    embedded_card,
    load_base,
    load_imagenet,
    load_weights,
    match_head,
    save_weights,
    sha256_of,
)


def same_weights(a: nn.Module, b: nn.Module) -> bool:
    theirs = b.state_dict()
    return all(torch.equal(value, theirs[key]) for key, value in a.state_dict().items() if value.is_floating_point())


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the embedded models that a test may spoil."""
    folder = tmp_path / "models"
    shutil.copytree(asset("models"), folder)
    monkeypatch.setattr(weights, "asset", lambda *parts: tmp_path.joinpath(*parts))
    return folder


@pytest.mark.parametrize("name", EMBEDDED)
def test_an_embedded_model_is_whole_and_gives_its_check_output(name: str) -> None:
    found = check_model(name)
    assert found.ok, found.message
    assert found.sha256 == embedded_card(name).sha256


def test_the_embedded_models_stay_small() -> None:
    assert sum(path.stat().st_size for path in asset("models").iterdir()) < 17_000_000


def test_the_card_of_the_base_says_what_it_learned_from_and_how_well() -> None:
    card = json.loads(asset("models", "base.json").read_text(encoding="utf-8"))
    sets = {entry["set"] for entry in card["data"]}
    assert sets == set(card["held_out"]) == {head["set"] for head in card["heads"]} - {"foreground"}
    assert all(entry["licence"] and entry["source"] for entry in card["data"])
    assert all(figures["images"] > 0 and 0 < figures["mean_iou"] <= 1 for figures in card["held_out"].values())


def test_the_model_card_in_the_docs_tells_the_figures_of_the_file() -> None:
    card = json.loads(asset("models", "base.json").read_text(encoding="utf-8"))
    text = (Path(__file__).resolve().parents[2] / "docs" / "model-card.md").read_text(encoding="utf-8")
    rows = {line.split("|")[1].strip(): line.split("|") for line in text.splitlines() if line.startswith("| ")}
    for name, figures in card["held_out"].items():
        assert rows[name][4].strip() == f"{figures['mean_iou']:.2f}"
        shown = {key: "-" if value is None else f"{value:.2f}" for key, value in figures["iou"].items()}
        assert rows[name][5].strip() == ", ".join(f"{key} {value}" for key, value in shown.items())
    assert f"Trained {card['training']['steps']} steps" in text


def test_the_slices_of_the_head_cover_its_channels_once() -> None:
    heads = embedded_card().heads
    assert [head.channels[0] for head in heads] == [0, *(head.channels[1] for head in heads[:-1])]
    assert all(head.channels[1] - head.channels[0] == len(head.classes) for head in heads)
    assert heads[-1].set == "foreground"


def test_a_changed_byte_of_an_embedded_model_is_found(models: Path) -> None:
    path = models / "base.safetensors"
    data = bytearray(path.read_bytes())
    data[-1000] ^= 0x40
    path.write_bytes(data)
    assert not check_model("base").ok


def test_an_embedded_model_that_computes_other_values_is_found(models: Path) -> None:
    card = json.loads((models / "imagenet.json").read_text(encoding="utf-8"))
    card["check"]["values"][3] += 1.0
    (models / "imagenet.json").write_text(json.dumps(card), encoding="utf-8")
    found = check_model("imagenet")
    assert not found.ok
    assert "wrong values" in found.message


@pytest.mark.parametrize("gone", ["base.safetensors", "base.json"])
def test_a_missing_file_of_an_embedded_model_is_one_sentence(models: Path, gone: str) -> None:
    (models / gone).unlink()
    found = check_model("base")
    assert not found.ok
    assert "missing" in found.message


def test_the_imagenet_weights_fill_the_encoder_and_nothing_else() -> None:
    torch.manual_seed(0)
    net = build("unet_lite0", classes=2)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    load_imagenet(net)
    changed = {key.split(".")[0] for key, value in net.state_dict().items() if not torch.equal(value, before[key])}
    assert changed == {"encoder"}


def test_a_grey_base_gives_what_the_colour_base_gives_for_grey_images() -> None:
    grey = torch.rand(1, 1, 64, 64)
    with torch.no_grad():
        apart = load_base(1)(grey) - load_base(3)(grey.expand(-1, 3, -1, -1))
    assert float(apart.abs().max()) < 1e-3


def test_a_head_for_known_classes_proposes_what_the_embedded_one_does() -> None:
    image = torch.randn(1, 3, 64, 64)
    match = match_head(["background", "nuclei"], background=0, grey=False)
    with torch.no_grad():
        wanted = load_base()(image)[:, match.start : match.stop]
        found = base_for(["background", "nuclei"], background=0, grey=False).eval()(image)
    assert torch.equal(found, wanted)


def test_a_bright_disc_is_proposed_as_the_first_class_of_unknown_name() -> None:
    y, x = torch.meshgrid(torch.arange(128), torch.arange(128), indexing="ij")
    disc = ((x - 64) ** 2 + (y - 64) ** 2 < 30**2).float()
    noise = 0.05 * torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        found = base_for(["background", "coin", "label"], background=0).eval()(noise - 0.3 + 0.6 * disc)[0].argmax(0)
    hits = float(((found == 1) & (disc == 1)).sum() / ((found == 1) | (disc == 1)).sum())
    assert hits > 0.9
    assert float((found == 2).float().mean()) < 0.02


def test_the_same_seed_gives_the_same_new_head() -> None:
    names = ["a", "b", "c"]
    assert same_weights(base_for(names, seed=3), base_for(names, seed=3))
    assert not torch.equal(head_conv(base_for(names, seed=3)).weight, head_conv(base_for(names, seed=4)).weight)


def test_saved_weights_come_back_exactly(tmp_path: Path) -> None:
    path, net, other = tmp_path / "v1.safetensors", build("tiny", classes=3), build("tiny", classes=3)
    digest = save_weights(path, net.to(memory_format=torch.channels_last), {"version": "v1"})
    load_weights(path, other, digest)
    assert same_weights(net, other)
    assert digest == sha256_of(path)
    assert [file.name for file in tmp_path.iterdir()] == ["v1.safetensors"]


def test_half_precision_keeps_whole_what_would_overflow(tmp_path: Path) -> None:
    path, net, other = tmp_path / "v1.safetensors", build("tiny", classes=2), build("tiny", classes=2)
    with torch.no_grad():
        net.get_submodule("encoder.bn1").running_var[0] = 1e6
    save_weights(path, net, half=True)
    load_weights(path, other)
    assert float(other.get_submodule("encoder.bn1").running_var[0]) == 1e6
    assert path.stat().st_size < 0.8 * sum(4 * p.numel() for p in net.state_dict().values()) + 2000


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_a_truncated_file_is_one_sentence_and_leaves_the_network_alone(tmp_path: Path, keep: int) -> None:
    path, net = tmp_path / "v1.safetensors", build("tiny", classes=2)
    save_weights(path, build("tiny", classes=2))
    path.write_bytes(path.read_bytes()[:keep])
    before = {key: value.clone() for key, value in net.state_dict().items()}
    with pytest.raises(WeightsDamaged, match=r"v1\.safetensors holds no weights"):
        load_weights(path, net)
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())


def test_a_pickle_is_refused_without_being_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str, ...]]:
            return (os.mkdir, (str(tmp_path / "sprung"),))

    path = tmp_path / "v1.safetensors"
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(WeightsDamaged):
        load_weights(path, build("tiny", classes=2))
    assert not (tmp_path / "sprung").exists()


def test_weights_for_other_classes_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "v1.safetensors"
    save_weights(path, build("tiny", classes=5))
    with pytest.raises(WeightsDamaged, match="made for another network"):
        load_weights(path, build("tiny", classes=2))


def test_weights_that_are_not_those_written_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "v1.safetensors"
    digest = save_weights(path, build("tiny", classes=2))
    save_weights(path, build("tiny", classes=2))
    with pytest.raises(WeightsDamaged, match="not those that were written"):
        load_weights(path, build("tiny", classes=2), digest)


def test_missing_weights_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(WeightsDamaged, match="cannot be read"):
        load_weights(tmp_path / "none.safetensors", build("tiny", classes=2))


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_weights_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "v1.safetensors"
    old = save_weights(path, build("tiny", classes=2))

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(DiskRefused, match="No space left"):
        save_weights(path, build("tiny", classes=2))
    monkeypatch.undo()
    assert sha256_of(path) == old
    assert [file.name for file in tmp_path.iterdir()] == ["v1.safetensors"]
