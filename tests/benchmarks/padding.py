"""Share of the pixels of training batches that is padding: python tests/benchmarks/padding.py STORE.arrow [KEY=VALUE …]

Counts what is added to the lines' own widths, both up to the model's multiple of pixels and up to the widest of the
batch.
"""

import sys
from pathlib import Path

import numpy as np
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from uncial.data.lines.sampler import TrainingSampler
from uncial.data.store.store import Store

CONF = Path(__file__).resolve().parents[2] / "conf"


def main() -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("config", overrides=sys.argv[2:])
    preprocessing = instantiate(config.model.preprocessing)
    sizes = Store(Path(sys.argv[1])).sizes().tolist()
    own = np.array([preprocessing.width_of(height, width) for height, width in sizes])
    padded = np.array([preprocessing.padded_width(width) for width in own.tolist()])
    sampler = TrainingSampler(padded, config.seed, config.trainer.batch_width, config.trainer.max_lines)
    batches = [[pick.position for pick in batch] for batch in sampler]
    drawn = sum(len(batch) * padded[batch].max() for batch in batches)
    share = 1 - own.sum() / drawn
    print(f"{len(own):,} lines in {len(batches):,} batches, mean width {own.mean():.0f}: {share:.2%} padding")


if __name__ == "__main__":
    main()
