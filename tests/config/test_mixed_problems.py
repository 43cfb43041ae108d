"""What is typed for recognisers and for layout models in one command ends in a sentence that says whose it is."""

import pytest
from program import LAYOUT

TYPED = [
    (["model=layout", "model/decoder=ctc"], ["model/decoder: the model that is chosen has no decoder", "model=crnn"]),
    (["model=layout", "model.decoder.beam=3"], ["model.decoder.beam: the model that is chosen has no decoder"]),
    (["model=layout", "model.preprocessing.height=48"], ["has no preprocessing", "model=kraken"]),
    (["model=layout", "model/text=line"], ["model/text: the model that is chosen has no text"]),
    (["model=crnn", "model/neck=fpn"], ["model/neck: the model that is chosen has no neck", "model=layout"]),
    (["model.neck.size=base"], ["model.neck.size: the model that is chosen has no neck"]),
    (["model/backbone=page"], ["model.size", "choose parts of one model"]),
    (["model=layout", "model/head=bilstm"], ["BiLSTMHead is no head of a layout model"]),
    (["model=layout", "model/backbone=crnn"], ["CRNNBackbone is no backbone of a layout model"]),
    (["model=layout", "augmentation=default"], ["This augmentation is for lines"]),
    (["model=crnn", "augmentation=page"], ["This augmentation is for pages"]),
    (["model=layout", "data.max_height=64"], ["problem=layout does not", "It is for model=crnn"]),
    (["data.annotated=lines"], ["problem=recognition does not", "It is for model=craft", "model=layout"]),
    (["task=inspect", "data.blank=true"], ["problem=recognition", "model=layout"]),
    (["trainer.crop=300"], ["problem=recognition", "model=layout"]),
]


@pytest.mark.parametrize(("typed", "told"), TYPED, ids=lambda value: " ".join(value))
def test_keys_and_parts_of_another_problem(run, tmp_path, typed, told):
    ended = run("data=page", f"data.root={tmp_path}", *typed)
    assert ended.code == 1, ended
    assert ended.output.count("Error: ") == 1
    for words in told:
        assert words in ended.output
    assert "Did you mean" not in ended.output


def test_keys_that_no_model_has_are_told_as_before(run):
    ended = run("data=page", "data.root=pages", "model.head.hiden=3")
    assert "there is no key model.head.hiden. Did you mean model.head.hidden?" in ended.output
    ended = run("data=page", "data.root=pages", "model/hed=conv")
    assert "there is no key model/hed. Did you mean model/head?" in ended.output


def test_models_of_the_other_kind(run, drawn, trained, layout_model):
    """Told before data are read."""
    data = ("data=page", "data.root=/does/not/exist")
    for model in ((), ("model=kraken",)):
        ended = run(*data, f"pretrained={layout_model}", *model)
        assert ended.code == 1
        assert "holds a layout model" in ended.output
        assert "give model=layout" in ended.output
    ended = run(*data, "model=layout", f"pretrained={trained.folder}")
    assert "holds a recogniser, which model=layout cannot go on from: give model=crnn" in ended.output
    ended = run(*data, "task=finetune", "model=layout", f"pretrained={layout_model}")
    assert "task=finetune reads the pages before and after" in ended.output
    for checkpoint, model, told in (
        (layout_model, "crnn", "holds a layout model, and model=crnn is none"),
        (trained.folder, "layout", "holds a recogniser, and model=layout is none"),
    ):
        ended = run("task=inspect", f"checkpoint={checkpoint}", f"model={model}", *data)
        assert ended.code == 1
        assert told in ended.output
    ended = run("task=test", f"checkpoint={layout_model}", "data.max_height=64", *data)
    assert "problem=layout does not read data.max_height" in ended.output
    ended = run("task=audit", f"checkpoint={layout_model}", "data=page", f"data.root={drawn / 'page'}")
    assert "the file holds a layout model, not a recogniser" in ended.output


def test_a_layout_model_is_exported_and_finds_the_same(run, drawn, layout_model):
    exported = run("task=export", f"checkpoint={layout_model}", into="exported")
    assert exported.code == 0, exported
    data = ("task=test", "data=page", f"data.root={drawn / 'page'}")
    scores = [
        run(*data, f"checkpoint={path}", into=f"test_{number}").metrics["test"]
        for number, path in enumerate((layout_model, exported.folder / "model.safetensors"))
    ]
    assert {**scores[0], "seconds": 0} == {**scores[1], "seconds": 0}


@pytest.mark.parametrize("task", ["train", "layout", "test"])
@pytest.mark.parametrize(
    ("logger", "told"),
    [
        ("{_target_: nowhere.Logger}", "No module named 'nowhere'"),
        ("{_target_: lightning.pytorch.loggers.CometLogger}", "comet"),
    ],
)
def test_a_logger_whose_package_is_missing_is_told_before_data_are_read(run, trained, tmp_path, task, logger, told):
    tasks = {"train": (), "layout": ("model=layout", *LAYOUT), "test": ("task=test", f"checkpoint={trained.folder}")}
    ended = run(*tasks[task], "data=page", f"data.root={tmp_path / 'absent'}", f"+logger.own={logger}")
    assert ended.code == 1
    assert told in ended.output
    assert "logger.own" in ended.output
    assert "absent" not in ended.output


@pytest.mark.parametrize(
    "typed", ["optimizer._target_=nowhere.X", "scheduler={_target_: nowhere.X}", "+callbacks.own={_target_: nowhere.X}"]
)
def test_so_is_any_other_part(run, tmp_path, typed):
    ended = run("data=page", f"data.root={tmp_path / 'absent'}", typed)
    assert ended.code == 1
    assert "No module named 'nowhere'" in ended.output
    assert "absent" not in ended.output
