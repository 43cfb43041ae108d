"""In which precision a model reads."""

from contextlib import AbstractContextManager
from functools import cache

import torch


def cpu_computes_in_bf16() -> bool:
    """Return whether this processor has matrix instructions for bf16 (AMX or AVX512-BF16); elsewhere it is emulated,
    and slow."""
    has_instructions = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.backends.cpu.get_cpu_capability().startswith("AVX512") and bool(has_instructions)


@cache
def computes_in_bf16(device_type: str) -> bool:
    """Return whether a kind of device multiplies matrices faster in bf16 than in fp32."""
    if device_type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device_type == "cpu" and cpu_computes_in_bf16()


def choose_reading_precision(device_type: str) -> str:
    """`bf16` on a processor that computes in it, where it reads nearly twice as many lines; `32` everywhere else.

    Losses, normalisations and the decoder's probabilities are in fp32 in both.
    """
    return "bf16" if device_type == "cpu" and cpu_computes_in_bf16() else "32"


def enter_inference_autocast(device_type: str) -> AbstractContextManager[object]:
    """Return the context in which validation, test and prediction run a model, whatever the training's precision."""
    in_bf16 = choose_reading_precision(device_type) == "bf16"
    return torch.autocast(device_type, torch.bfloat16 if in_bf16 else None, enabled=in_bf16)
