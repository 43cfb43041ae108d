"""What augmentation costs beside a training step: python tests/benchmarks/augmentation.py STORE.arrow [KEY=VALUE …]

Milliseconds of one core a line, in processor time, so that other work on the machine counts little: a training step of
the model with batches as in training, each augmentation group, and each of its transforms applied to every line.
KEY=VALUE change the model and its trainer. To be run on one core: `taskset -c 0 python …`.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from uncial.data.augmentation.chain import build_augmentation, list_single_transforms
from uncial.data.lines.dataset import make_batch
from uncial.data.lines.sampler import TrainingSampler
from uncial.data.store.store import Store
from uncial.models.build import build_model
from uncial.text.codec import CharacterCodec
from uncial.text.normalization import normalize
from uncial.training.distributed.devices import tune_malloc
from uncial.training.optimizers.parameter_groups import build_parameter_groups

CONF = Path(__file__).resolve().parents[2] / "conf"
LINES, STEPS = 300, 20


def milliseconds_a_line(run: Callable[[], int]) -> float:
    """The best of three passes; `run` does some lines and returns how many."""
    passes = []
    for _ in range(3):
        start = time.process_time()
        count = run()
        passes.append(1000 * (time.process_time() - start) / count)
    return min(passes)


def step_cost(config: DictConfig, store: Store) -> float:
    preprocess = instantiate(config.model.preprocessing)
    texts = [normalize(text, config.model.normalization) for text in store.column("text")]
    codec = CharacterCodec.from_texts(texts)
    model = build_model(OmegaConf.to_container(config.model, resolve=True), codec=codec).train()
    optimizer = instantiate(config.optimizer, _convert_="all")(build_parameter_groups(model))
    widths = np.array([preprocess.padded_width(preprocess.width_of(*size)) for size in store.sizes().tolist()])
    sampler = TrainingSampler(widths, config.seed, config.trainer.batch_width, config.trainer.max_lines)
    chosen = [[pick.position for pick in batch] for batch, _ in zip(sampler, range(STEPS), strict=False)]
    batches = [make_batch([preprocess(store.strip(i)) for i in b], [texts[i] for i in b], b, codec) for b in chosen]

    def train() -> int:
        for batch in batches:
            optimizer.zero_grad()
            model.loss(batch)["loss"].backward()
            optimizer.step()
        return sum(len(batch.indices) for batch in batches)

    return milliseconds_a_line(train)


def main() -> None:
    tune_malloc()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    store = Store(Path(sys.argv[1]))
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("config", overrides=sys.argv[2:])
        names = sorted(path.stem for path in (CONF / "augmentation").glob("*.yaml"))
        groups = {name: compose("config", overrides=[*sys.argv[2:], f"augmentation={name}"]) for name in names}
    preprocess = instantiate(config.model.preprocessing)
    rows = np.random.default_rng(1).permutation(len(store))[:LINES].tolist()
    lines = [preprocess(store.strip(row)) for row in rows]
    step = step_cost(config, store)
    print(f"training step in fp32: {step:.2f} ms a line; mean width {np.mean([line.shape[1] for line in lines]):.0f}")
    for name, composed in groups.items():
        group = OmegaConf.to_container(composed.augmentation, resolve=True)
        channels = config.model.preprocessing.channels
        for label, augmentation in [
            (name, build_augmentation(group, channels)),
            *((f"    {single.label}", single.augmentation) for single in list_single_transforms(group)),
        ]:

            def vary(augmentation: Callable = augmentation) -> int:
                for index, line in enumerate(lines):
                    augmentation(line, 1, 0, index)
                return len(lines)

            cost = milliseconds_a_line(vary)
            print(f"{label:<60} {cost:6.3f} ms a line, {cost / step:6.1%} of the step", flush=True)


if __name__ == "__main__":
    main()
