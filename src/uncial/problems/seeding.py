"""What a run's seed decides."""

import random

import numpy as np
import torch


def seed_all(seed: int) -> None:
    """Seed torch, and for models and callbacks of others that draw from them NumPy and Python."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)
