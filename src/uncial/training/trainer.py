"""The Lightning Trainer of a run: device, precision, loggers."""

import logging
import warnings
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import lightning as L
import torch
from lightning.fabric.plugins import ClusterEnvironment
from lightning.pytorch.loggers import Logger
from lightning.pytorch.plugins.environments import SLURMEnvironment
from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from uncial.errors import UserError
from uncial.files import count_cores
from uncial.models.precision import computes_in_bf16
from uncial.training.callbacks.contract import order_callbacks
from uncial.training.callbacks.early_stopping import MaxTime
from uncial.training.distributed.devices import choose_devices, tune_malloc
from uncial.training.distributed.process_group import SpawnedEnvironment, world_size
from uncial.training.schedulers.length import parse_duration
from uncial.training.settings import TrainerSettings

PRECISIONS = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}


def silence_lightning() -> None:
    """Silences what Lightning says to everyone about everything; its errors stay."""
    for name in ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for message in (
        "does not have many workers",
        "smaller than the logging interval",
        "LeafSpec",
        "logs directory",
        "not resumable",
        "is available on your system",
        "find_unused_parameters=True was specified",
        "sync_dist=True",  # All processes log the same scores: those of the lines of all.
    ):
        warnings.filterwarnings("ignore", f".*{message}.*")
    warnings.filterwarnings("ignore", category=DeprecationWarning)


def choose_precision(precision: str | int, accelerator: str) -> str:
    """Lightning's name for `trainer.precision`; `auto` is bf16 where the device computes in it, else 32.

    On a CPU bf16 pays only with AMX or AVX512-BF16 instructions; without, it is emulated and slower than fp32.
    """
    uses_gpu = accelerator in ("gpu", "cuda") or (accelerator == "auto" and torch.cuda.is_available())
    if precision != "auto":
        if str(precision) not in PRECISIONS:
            raise UserError(f"trainer.precision={precision}: choose one of auto, {', '.join(PRECISIONS)}.")
        if str(precision) == "16" and not uses_gpu:
            raise UserError("trainer.precision=16 needs an NVIDIA or AMD GPU; choose auto, bf16 or 32 here.")
        return PRECISIONS[str(precision)]
    kind = "cuda" if uses_gpu else "cpu" if accelerator == "auto" else accelerator
    return "bf16-mixed" if computes_in_bf16(kind) else "32-true"


def build_trainer(
    settings: TrainerSettings, folder: Path, callbacks: Sequence[L.Callback], loggers: Sequence[Logger]
) -> L.Trainer:
    """Return the trainer of a run, with the callbacks in the order of their priorities.

    The number of steps and validations is left to `RunLength` among them. Raises `UserError` for two callbacks that
    write one thing, and for settings that Lightning refuses.
    """
    max_seconds = parse_duration(settings.max_time, "trainer.max_time")
    limits = [MaxTime(timedelta(seconds=max_seconds))] if max_seconds else []
    try:
        return L.Trainer(
            **_prepare_machine(settings),
            sync_batchnorm=settings.sync_batchnorm and world_size() > 1,
            max_epochs=-1,
            check_val_every_n_epoch=None,
            val_check_interval=2**31,
            num_sanity_val_steps=8,
            gradient_clip_val=settings.gradient_clip,
            gradient_clip_algorithm=settings.gradient_clip_by,
            accumulate_grad_batches=settings.accumulate,
            callbacks=order_callbacks([*callbacks, *limits]),
            logger=list(loggers),
            log_every_n_steps=settings.log_every,
            default_root_dir=folder,
        )
    except MisconfigurationException as error:
        raise UserError(_format_refusal(error)) from error


def build_evaluation_trainer(settings: TrainerSettings, folder: Path, callbacks: Sequence[L.Callback]) -> L.Trainer:
    """Return the trainer of a task that reads lines with a trained model."""
    try:
        return L.Trainer(
            **_prepare_machine(settings), callbacks=order_callbacks(callbacks), logger=[], default_root_dir=folder
        )
    except MisconfigurationException as error:
        raise UserError(_format_refusal(error)) from error


def _prepare_machine(settings: TrainerSettings) -> dict[str, Any]:
    """Return what a trainer is told of the devices, and what Lightning shall not do beside; the process is set up for
    it."""
    tune_malloc()
    cv2.setNumThreads(1)
    devices = choose_devices(settings)
    if settings.threads is not None:
        torch.set_num_threads(int(settings.threads))
    elif devices.kind == "cpu" and devices.count > 1:
        torch.set_num_threads(max(1, count_cores() // devices.count))
    # One process computes on one device, as where the speed of a training is tried out.
    numbers = devices.numbers if world_size() > 1 else devices.numbers[:1]
    return {
        "accelerator": devices.kind,
        "devices": list(numbers) if devices.kind == "cuda" else len(numbers),
        "strategy": _build_strategy() if world_size() > 1 else "auto",
        "precision": choose_precision(settings.precision, settings.accelerator),
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "use_distributed_sampler": False,
        "plugins": _build_plugins(),
    }


def _format_refusal(error: MisconfigurationException) -> str:
    return f"Could not create the trainer: {' '.join(str(error).split())} Check the keys under 'trainer'."


def _build_strategy() -> DDPStrategy:
    """Gradients are the mean over the processes. A model of one's own may leave parts of it out of a step's loss."""
    return DDPStrategy(find_unused_parameters=True)


def describe_device(trainer: L.Trainer) -> dict[str, Any]:
    """Return what a training runs on, as far as it decides on its last digits."""
    device = trainer.strategy.root_device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return {
        "name": name,
        "devices": trainer.world_size,
        "precision": trainer.precision,
        "threads": torch.get_num_threads(),
    }


def _build_plugins() -> list[ClusterEnvironment]:
    """In a job of SLURM, but for Lightning's own way to have it queued again, which `StopRequest` sees to."""
    if world_size() > 1:
        return [SpawnedEnvironment()]
    return [SLURMEnvironment(auto_requeue=False)] if SLURMEnvironment.detect() else []
