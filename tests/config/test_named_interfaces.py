"""What a class has to be that cannot be made, or is of another kind, is said in the sentence that ends the run."""

import pytest
from program import TINY

TORCH_SCHEDULER = "a scheduler is a class of torch.optim.lr_scheduler or timm.scheduler"
OPTIMIZER = "a class that derives from torch.optim.Optimizer is needed"
LOGGER = "a logger is a class of lightning.pytorch.loggers"
HEAD = "a head is a torch module that is made with in_channels and in_height, and its config has _partial_: true"
CALLBACK = "a class that derives from lightning.pytorch.Callback is needed"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("scheduler={_target_: torch.nn.Linear, in_features: 1}", TORCH_SCHEDULER),
        ("scheduler={_target_: nowhere.Rate}", TORCH_SCHEDULER),
        ("optimizer={_target_: torch.optim.Addam, lr: 1}", OPTIMIZER),
        ("optimizer={_target_: torch.nn.Identity, _partial_: true}", OPTIMIZER),
        ("optimizer={_target_: torch.optim.SGD, _partial_: true, learning: 1}", OPTIMIZER),
        ("+logger.m={_target_: nowhere.Board}", LOGGER),
        ("+callbacks.m={_target_: nowhere.Callback}", CALLBACK),
        ("model.head={_target_: torch.nn.Dropout}", HEAD),
        ("model.head.layerz=2", HEAD),
        ("model.decoder={_target_: torch.nn.Dropout}", "a decoder is a torch module that is made with in_channels and"),
        ("model.backbone={_target_: torch.nn.ReLU}", "a backbone is a torch module that is made with in_channels and"),
        ("problem={_target_: collections.OrderedDict}", "a problem is a class that derives from uncial.problems"),
        ("problem={_target_: nowhere.Problem}", "a problem is a class that derives from uncial.problems"),
    ],
)
def test_the_sentence_names_it(run, drawn, typed, told):
    small = [key for key in TINY if not typed.startswith(key.partition("=")[0].rpartition(".")[0])]
    sign = "+" if typed.startswith("model.head.layerz") else ""
    ended = run("data=page", f"data.root={drawn / 'page'}", *small, "trainer.max_steps=1", f"{sign}{typed}")
    assert ended.code == 1, ended
    assert told in ended.output.strip().splitlines()[-1]
    if "logger" not in typed:  # Which is made when the run begins: it may open a connection.
        assert "compiling" not in ended.output, "it is said before any data are read"
