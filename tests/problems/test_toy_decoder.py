"""A decoder that is no CTC: autoregressive, with attention, no frames, no blank and a loss of its own."""

import csv
import json
import shutil

import pytest
from program import TINY

DECODER = '''
"""A toy of an attention decoder: each label is read from the last one and from all columns of the line."""

import math

import torch
from torch import nn
from torch.nn import functional

from uncial.document import Transcription

LONGEST = 12


class AttentionDecoder(nn.Module):
    """Label 0 is the end of a text, and what comes before its first label."""

    def __init__(self, in_channels, codec, size=24):
        super().__init__()
        self.codec = codec
        self.embed = nn.Embedding(codec.size, size)
        self.cell = nn.GRUCell(size, size)
        self.keys = nn.Linear(in_channels, size)
        self.output = nn.Linear(2 * size, codec.size)

    def _step(self, keys, mask, label, state):
        state = self.cell(self.embed(label), state)
        scores = (keys @ state[:, :, None])[..., 0].masked_fill(~mask, -torch.inf)
        context = (scores.softmax(-1)[:, None] @ keys)[:, 0]
        return self.output(torch.cat((state, context), dim=-1)).float(), state

    def _begin(self, sequence, lengths):
        keys = self.keys(sequence)
        mask = torch.arange(keys.shape[1]) < lengths[:, None]
        return keys, mask, keys.new_zeros(len(keys), keys.shape[2]), torch.zeros(len(keys), dtype=torch.int64)

    def loss(self, sequence, lengths, targets):
        labels = functional.pad(targets.padded(0), (0, 1))
        keys, mask, state, label = self._begin(sequence, lengths)
        total = 0.0
        for step in range(labels.shape[1]):
            scores, state = self._step(keys, mask, label, state)
            label = labels[:, step]
            counts = step <= targets.lengths
            total = total + (functional.cross_entropy(scores, label, reduction="none") * counts).sum()
        return total / (targets.lengths + 1).sum()

    def decode(self, sequence, lengths):
        keys, mask, state, label = self._begin(sequence, lengths)
        labels, sureness = [], []
        for _ in range(LONGEST):
            scores, state = self._step(keys, mask, label, state)
            best, label = scores.log_softmax(-1).max(-1)
            labels.append(label)
            sureness.append(best)
        return [
            self._text(row, sure)
            for row, sure in zip(torch.stack(labels, 1).tolist(), torch.stack(sureness, 1).tolist(), strict=True)
        ]

    def _text(self, labels, sureness):
        end = labels.index(0) if 0 in labels else len(labels)
        confidence = math.exp(sum(sureness[: end + 1]) / (end + 1))
        return Transcription(self.codec.decode(labels[:end]), confidence)

    def min_frames(self, labels):
        return 0
'''

STEPS = ("trainer.batch_width=600", "trainer.validations=2", "augmentation=none", "optimizer=adam")


@pytest.fixture
def typed(tmp_path, monkeypatch, drawn):
    """What a user with conf/model/decoder/attention.yaml and toy_attention.py in a folder types."""
    (tmp_path / "toy_attention.py").write_text(DECODER, encoding="utf-8")
    config = tmp_path / "own/model/decoder/attention.yaml"
    config.parent.mkdir(parents=True)
    config.write_text("_target_: toy_attention.AttentionDecoder\n_partial_: true\nsize: 24\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    data = ("data=page", f"data.root={drawn / 'page'}")
    return ("--config-dir", str(tmp_path / "own")), ("model/decoder=attention", *data, *TINY, *STEPS)


def predictions(folder):
    with (folder / "predictions.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_an_attention_decoder_is_trained_tested_and_resumed(run, typed, drawn, tmp_path):
    own, arguments = typed
    whole = run(*own, *arguments, "trainer.max_epochs=4", "model.shortcut=0", into="whole")
    assert whole.code == 0, whole
    assert whole.metrics["val"]["cer"] > 0

    test = ("task=test", f"checkpoint={whole.folder}", "data=page", f"data.root={drawn / 'page'}", "data.subset=val")
    refused = run(*test, into="refused")
    assert refused.code == 1
    assert "trust=[toy_attention]" in refused.output
    tested = run(*test, "trust=[toy_attention]", into="tested")
    assert tested.code == 0, tested
    assert tested.metrics["test"]["cer"] == whole.metrics["val"]["cer"]
    assert tested.metrics["test"]["loss"] == whole.metrics["val"]["loss"]

    stopped = run(*own, *arguments, "model.shortcut=0", "trainer.max_epochs=4", into="stopped")
    # The state after half of the steps, as a run that was killed leaves it.
    assert stopped.code == 0, stopped
    shutil.rmtree(stopped.folder)
    kept = ("callbacks.checkpoints.every_epochs=2", "callbacks.checkpoints.keep_last=9")
    first = run(*own, *arguments, "model.shortcut=0", "trainer.max_epochs=4", *kept, into="first")
    states = sorted((first.folder / "checkpoints").glob("*.ckpt"))
    assert len(states) >= 2, first
    shutil.copy(states[0], first.folder / "last.ckpt")
    (first.folder / "metrics.json").unlink()
    resumed = run(f"resume={first.folder}", "trust=[toy_attention]", into="ignored")
    assert resumed.code == 0, resumed
    assert json.loads((first.folder / "metrics.json").read_text())["val"] == whole.metrics["val"]


def test_lines_are_never_too_short_for_it(run, typed):
    own, arguments = typed
    # So few columns that CTC could learn none of the lines.
    narrow = "model.backbone.stages=[[16,1,2,4],[16,1,2,8]]"
    length = ("trainer.max_steps=2", "trainer.validations=1", "model.shortcut=0")
    ended = run(*own, *arguments, narrow, *length)
    assert ended.code == 0, ended
    assert "More text than the image has frames for" not in ended.output
    ctc = run(*arguments[1:], narrow, *length, into="ctc")
    assert "more text than" in ctc.output.lower(), ctc


def test_the_auxiliary_loss_on_the_backbone_is_for_it_too(run, typed):
    own, arguments = typed
    ended = run(*own, *arguments, "trainer.max_steps=2", "trainer.validations=1", "model.shortcut=0.5")
    assert ended.code == 0, ended


def test_what_needs_more_says_so_before_data_are_read(run, typed, tmp_path, drawn):
    own, arguments = typed
    helped = run(*own, *arguments, "callbacks.watchdog=help", "data.root=/nowhere", into="helped")
    assert helped.code == 1
    assert "callbacks.watchdog=help: this model's decoder has no blank to lower" in helped.output
    trained = run(*own, *arguments, "trainer.max_steps=2", "trainer.validations=1", "model.shortcut=0", into="trained")
    assert trained.code == 0, trained
    audited = run("task=audit", f"checkpoint={trained.folder}", "trust=[toy_attention]", "data=page", "data.root=/no")
    assert audited.code == 1
    assert "task=audit needs a model whose decoder tells how likely a text is" in audited.output


def test_a_decoder_that_lacks_a_part_of_the_contract_is_named(run, typed, tmp_path):
    own, arguments = typed
    (tmp_path / "toy_attention.py").write_text(DECODER.replace("def min_frames", "def least"), encoding="utf-8")
    import sys

    sys.modules.pop("toy_attention", None)
    ended = run(*own, *arguments, "data.root=/nowhere")
    sys.modules.pop("toy_attention", None)
    assert ended.code == 1
    assert "AttentionDecoder is no decoder of a recogniser" in ended.output
    assert "min_frames(labels)" in ended.output


def test_a_sweep_over_its_size(run, typed, tmp_path):
    own, arguments = typed
    length = ("trainer.max_steps=2", "trainer.validations=1", "model.shortcut=0")
    sweep = (f"hydra.sweep.dir={tmp_path / 'sweep'}", "model.decoder.size=8,16")
    ended = run("-m", *own, *arguments, *length, *sweep)
    assert ended.code == 0, ended
    for job in ("0", "1"):
        assert (tmp_path / "sweep" / job / "metrics.json").is_file(), ended
