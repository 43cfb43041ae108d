"""Small models made from the shipped configs, and batches of random lines."""

from pathlib import Path

import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from uncial.data.lines.dataset import Batch
from uncial.models.build import build_model
from uncial.models.recognizer import Recognizer
from uncial.text.codec import CharacterCodec

torch.set_num_threads(1)  # the models are so small that a second thread only waits

CONF = Path(__file__).parents[2] / "conf"
CODEC = CharacterCodec("abcdefghij ")


def model_config(name: str, *overrides: str) -> dict:
    """The plain config that `python run.py model=NAME …` would build, without the rest of the run's config."""
    with initialize_config_dir(str(CONF), version_base=None):
        composed = compose(overrides=["+problem=recognition", f"+model={name}", *overrides])
    OmegaConf.set_struct(composed, False)
    return OmegaConf.to_container(composed.model, resolve=True)


def make_model(name: str = "crnn", *overrides: str) -> Recognizer:
    """An untrained model, the same at every call."""
    torch.manual_seed(1)
    model = build_model(model_config(name, *overrides), codec=CODEC)
    assert isinstance(model, Recognizer)
    return model


def make_batch(widths: list[int], height: int, channels: int = 1, labels: int = 1) -> Batch:
    """Random lines padded with paper, each with a text of `labels` characters."""
    generator = torch.Generator().manual_seed(7)
    images = torch.full((len(widths), channels, height, max(widths)), 255, dtype=torch.uint8)
    for row, width in enumerate(widths):
        noise = torch.randint(0, 256, (channels, height, width), dtype=torch.uint8, generator=generator)
        images[row, :, :, :width] = noise
    targets = torch.randint(1, CODEC.size, (len(widths) * labels,), generator=generator)
    return Batch(
        images=images,
        widths=torch.tensor(widths),
        targets=targets,
        target_lengths=torch.full((len(widths),), labels),
        texts=[CODEC.decode(row) for row in targets.view(len(widths), labels).tolist()],
        indices=list(range(len(widths))),
    )


def settle(model: Recognizer, height: int) -> Recognizer:
    """Give batch normalisation statistics of its own and the blank a lower score, so that outputs are not all alike."""
    model.train()
    with torch.no_grad():
        for _ in range(3):
            model.loss(make_batch([64, 72, 80, 96], height, model.preprocessing.channels))
        model.decoder.output.weight.mul_(5)
    return model.eval()
