"""Mistakes in the parts of a training, told before its ground truth is read, which takes long where it is large."""

import re

import pytest

MISTAKES = {
    ("trainer.precision=64",): r"trainer\.precision=64: choose one of",
    ("trainer.gradient_clip_by=all",): r"trainer\.gradient_clip_by=all",
    ("trainer.validate_every_epochs=1", "trainer.validate_every_steps=9"): "are both set",
    ("scheduler.warmup_fraction=2",): r"scheduler\.warmup_fraction=2",
    ("scheduler=step", "scheduler.unit=day"): r"scheduler\.unit=day: choose one of",
    ("optimizer._target_=torch.optim.Nope",): "torch.optim.Nope",
    ("optimizer._target_=torch.optim.SGD",): "betas",
    ("lr_factors={decoder: -1}",): "lr_factors",
    ("freeze=[nothing]",): "nothing",
    ("freeze_for=3_steps",): "freeze_for=3_steps needs freeze",
    ("resize=foo",): "resize=foo",
    ("callbacks.ema=2",): r"callbacks\.ema",
    ("callbacks.watchdog=bark",): r"callbacks\.watchdog=bark",
    ("augmentation.transforms=[1]",): "1 is no transform",
    ("model.backbone.stages=[[1,2]]",): r"model\.backbone\.stages\[0\]",
    ("model.backbone.dropout=3",): "dropout probability",
    ("model.backbone.stem_kernel=4",): r"model\.backbone\.stem_kernel is 4; an odd",
    ("model.metric.profile=loud",): "no text normalisation .loud",
    ("model.codec=nowhere.json",): r"nowhere\.json",
    ("model.text.direction=X",): r"model\.text\.direction=X",
    ("model.text.replacements=nowhere.json",): r"nowhere\.json",
}


@pytest.mark.parametrize("typed", MISTAKES, ids=" ".join)
def test_a_wrong_part_ends_the_command_before_the_data_are_read(run, tmp_path, typed):
    ended = run("task=train", "data=page", f"data.root={tmp_path / 'nowhere'}", *typed)
    assert ended.code == 1, ended
    assert re.search(f"^Error: .*{MISTAKES[typed]}", ended.output.strip().splitlines()[-1]), ended


def test_right_parts_come_to_the_data(run, tmp_path):
    """Else any error at all would do above."""
    ended = run("task=train", "data=page", f"data.root={tmp_path / 'nowhere'}", "freeze=[head]", "freeze_for=3_steps")
    assert ended.code == 1, ended
    assert re.search(r"^Error: data\.root: .*nowhere does not exist", ended.output.strip().splitlines()[-1]), ended
