"""Which devices are meant by the config, and whose error ends several processes."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from uncial.config.schema import build_settings
from uncial.errors import UserError
from uncial.training.distributed.devices import choose_training_devices
from uncial.training.distributed.launch import WorkerResult, find_first_error
from uncial.training.settings import TrainerSettings

CONF = Path(__file__).resolve().parents[2] / "conf"


@pytest.fixture(autouse=True)
def gpus(monkeypatch):
    """`gpus(count)`: a machine with so many GPUs of NVIDIA, and none of Apple."""

    def present(count: int) -> None:
        monkeypatch.setattr("torch.cuda.device_count", lambda: count)
        monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)

    present(0)
    return present


def config(accelerator="auto", devices=1, sync_batchnorm=False):
    trainer = OmegaConf.load(CONF / "trainer" / "default.yaml")
    typed = {
        "accelerator": accelerator,
        "devices": devices,
        "sync_batchnorm": sync_batchnorm,
        "lines_seen": 1,
        "pages_seen": 1,
    }
    return build_settings(TrainerSettings, OmegaConf.create({"trainer": OmegaConf.merge(trainer, typed)}))


@pytest.mark.parametrize(
    ("present", "accelerator", "devices", "kind", "numbers"),
    [
        (0, "auto", 1, "cpu", (0,)),
        (0, "auto", "auto", "cpu", (0,)),
        (2, "cpu", 3, "cpu", (0, 1, 2)),
        (2, "auto", 1, "cuda", (0,)),
        (2, "gpu", "auto", "cuda", (0, 1)),
        (2, "gpu", -1, "cuda", (0, 1)),
        (4, "cuda", [3, 1], "cuda", (3, 1)),
    ],
)
def test_devices_are_those_that_are_named(gpus, present, accelerator, devices, kind, numbers):
    gpus(present)
    found = choose_training_devices(config(accelerator, devices))
    assert (found.kind, found.numbers, found.count) == (kind, numbers, len(numbers))


@pytest.mark.parametrize(
    ("present", "given", "message"),
    [
        (0, config("gpu"), "accelerator=gpu: this machine has no GPU.*trainer=cpu"),
        (0, config("mps"), "accelerator=mps: this machine has no Apple GPU"),
        (0, config("gpus"), "choose one of auto, cpu"),
        (0, config("cpu", 0), "devices=0: a number of devices is needed"),
        (0, config("cpu", 1.5), "devices=1.5"),
        (0, config("cpu", "two"), "devices=two"),
        (0, config("cpu", [0, 1]), r"devices=\[0, 1\]: a list chooses NVIDIA"),
        (0, config("cpu", 2, sync_batchnorm=True), "sync_batchnorm=true: torch has it for GPUs"),
        (1, config("gpu", 2), "there is no GPU 1; this machine has GPU 0"),
        (2, config("gpu", [0, 0]), "each GPU once"),
        (2, config("gpu", []), "each GPU once"),
        (2, config("gpu", [5]), "no GPU 5; this machine has GPUs 0 to 1"),
    ],
)
def test_devices_that_are_not_there_are_told_in_one_sentence(gpus, present, given, message):
    gpus(present)
    with pytest.raises(UserError, match=message):
        choose_training_devices(given)


def test_the_error_that_is_told_is_the_one_that_the_others_followed():
    lost = WorkerResult(5.0, error=RuntimeError("Connection closed by peer"))
    assert str(find_first_error([lost, WorkerResult(4.0, error=ValueError("first"))])) == "first"
    assert str(find_first_error([lost, WorkerResult(6.0, error=UserError("The disk is full."))])) == "The disk is full."
    assert "Process 2 of 2 was killed (SIGKILL)" in str(find_first_error([lost, WorkerResult(6.0, exit_code=-9)]))
    assert "Process 1 of 3 left with exit code 7" in str(find_first_error([WorkerResult(6.0, exit_code=7), None, None]))
