"""Model files that are damaged, made up or of other programs: one sentence that names the file, quickly and in little
memory; or a model that works."""

import copy
import io
import json
import random
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from small_models import make_batch, make_model, model_config, settle

import uncial
from uncial.errors import UserError
from uncial.formats.foreign_models import name_foreign
from uncial.models.files import load_card, load_model, save_model
from uncial.models.lineage import list_pages_seen, read_lineage
from uncial.runs.state import read_state

SMALL = ("model.backbone.stages=[[8,1,2,2],[8,1,2,1]]", "model.backbone.stem=4", "model.head.hidden=4")
MODEL = settle(make_model("crnn", *SMALL), 32)
WEIGHTS = {name: weight.contiguous() for name, weight in MODEL.state_dict().items()}
SAID = {
    "model": model_config("crnn", *SMALL),
    "seed": 3,
    "scores": {"cer": 0.25},
    "calibration": {"characters": 1.5, "lines": 0.9},
    "training": {"lines": 3, "pages": 2, "page_hashes": ["a", "b"], "data": "page"},
    "seen_before": ["c"],
    "lineage": ["d"],
    "normalization": "nfc_strip",
}


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    path = tmp_path_factory.mktemp("card") / "model.safetensors"
    save_model(path, MODEL, SAID)
    return load_card(path)


def write(path: Path, text: object, weights: dict = WEIGHTS) -> Path:
    """A model file or a checkpoint, by the name, that says this about itself."""
    said = text if isinstance(text, str) else json.dumps(text)
    if path.suffix == ".ckpt":
        torch.save({"uncial": said, "state_dict": {f"model.{name}": one for name, one in weights.items()}}, path)
    else:
        save_file(weights, path, metadata={"uncial": said})
    return path


def refusal(path: Path) -> str:
    """The sentence with which a file is refused."""
    with pytest.raises(UserError) as caught:
        load_model(path)
    told = str(caught.value)
    assert str(path) in told
    assert "\n" not in told
    assert len(told) < 1000
    return told


def works_or_is_refused(path: Path) -> bool:
    """Whether the file is not refused: then it reads, learns and can be started from."""
    told = ""
    try:
        model, card = load_model(path)
    except UserError as error:
        told = str(error)
    if told:
        assert str(path) in told
        assert "\n" not in told
        return False
    batch = make_batch([64, 72], model.preprocessing.height, model.preprocessing.channels)
    model.predict(batch)[0].text.encode()
    model.train().loss(batch)
    uncial.Transcriber(model, card, "cpu")
    list_pages_seen(card)
    read_lineage(model, card)
    return True


def places(node, at=()):
    if at:
        yield at
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from places(value, (*at, key))


def changed(card: dict, at: tuple, value: object) -> dict:
    """A copy with another value at a place; Ellipsis takes the place out."""
    whole = copy.deepcopy(card)
    node = whole
    for key in at[:-1]:
        node = node[key]
    if value is ...:
        del node[at[-1]]
    else:
        node[at[-1]] = value
    return whole


VALUES = (
    ...,
    None,
    "",
    -1,
    0,
    1.5,
    True,
    10**9,
    10**60,
    [],
    {},
    "${oc.env:HOME}",
    "${nonsense",
    "%1000000000d",
    "\ud800",
    [[[[1]]]],
    [None],
    [10**9, 10**9],
    {"a": {"b": {}}},
    {"_target_": "os.system"},
    {"_target_": "torch.nn.Linear", "in_features": 10**6, "out_features": 10**6},
    float("nan"),
)


@pytest.mark.parametrize("turn", range(4))
def test_every_value_of_a_card_may_be_any_other(card, tmp_path, turn):
    ended = []
    for number, at in enumerate(places(card)):
        value = VALUES[(number * 4 + turn * 7 + number // 5) % len(VALUES)]
        ended.append(works_or_is_refused(write(tmp_path / "m.safetensors", changed(card, at, value))))
    assert 20 < sum(ended) < len(ended) - 20, "of the 120 places some are needed and some are not"


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_plain_value_may_stand_anywhere(card, tmp_path, data):
    at = data.draw(st.sampled_from(list(places(card))))
    works_or_is_refused(write(tmp_path / "m.ckpt", changed(card, at, data.draw(plain))))


def config(**keys: object) -> dict:
    """What changes the model's config: `head__layers` is model.head.layers."""
    return {("model", *name.split("__")): value for name, value in keys.items()}


DEEP = '{"a":' * 50_000 + "1" + "}" * 50_000
ENDLESS = {"_target_": "torch.nn.TransformerEncoder", "encoder_layer": None, "num_layers": 10**9}
CONV, ATTENTION = (
    {"_target_": f"uncial.models.heads.{name}", "layers": 10**9, "_partial_": True}
    for name in ("conv.ConvHead", "transformer.TransformerHead")
)
REFUSED = {
    "not in the list": (config(head___target_="antigravity.Head"), "antigravity.Head"),
    "an attribute walked to": (config(head___target_="torch.nn.modules.module.sys.exit"), "sys.exit"),
    "only imported there": (config(head___target_="uncial.models.recognizer.Shortcut"), "Shortcut"),
    "a module of uncial that is no model's": (config(head___target_="uncial.training.module.TrainingModule"), "trust"),
    "a function": (config(head___target_="uncial.models.files.load_model"), "trust"),
    "in a list": (config(head__x=[[{"_target_": "os.system"}]]), "os.system"),
    "in _args_": (config(head___args_=[{"_target_": "os.system", "_args_": ["true"]}]), "os.system"),
    "kept from being made": (config(head={"_target_": "os.system", "_recursive_": False}), "os.system"),
    "a target that is a list": (config(head___target_=["os", "system"]), "_target_"),
    "a target with a resolver": (config(head___target_="${oc.env:HOME}"), "_target_"),
    "a device": (config(head__x={"_target_": "torch.nn.Linear", "in_features": 1, "device": "cpu"}), "device"),
    "copies of a layer": (config(head__x=ENDLESS), "TransformerEncoder"),
    "an alphabet that is a text": ({("codec", "alphabet"): "abc"}, "alphabet"),
    "an alphabet with a list in it": ({("codec", "alphabet", 0): ["a"]}, "alphabet"),
    "an alphabet with a table in it": ({("codec", "alphabet", 0): {"a": 1}}, "alphabet"),
    "an alphabet with a number in it": ({("codec", "alphabet", 0): 7}, "alphabet"),
    "an alphabet with null in it": ({("codec", "alphabet", 0): None}, "alphabet"),
    "an alphabet with a letter twice": ({("codec", "alphabet", 0): "b"}, "more than once"),
    "an alphabet with half a character": ({("codec", "alphabet", 0): "\ud800"}, "codec"),
    "labels beyond the weights": ({("codec",): {"kind": "labels", "table": {"a": [1_000_000]}}}, "do not fit"),
    "labels that are no numbers": ({("codec",): {"kind": "labels", "table": {"a": [None, "x"]}}}, "labels"),
    "a calibration that is a text": ({("calibration",): "sure"}, "calibration"),
    "page hashes that are a number": ({("training", "page_hashes"): 5}, "training"),
    "a version that is a text": ({("format_version",): "1"}, "format_version"),
    "a version below the first": ({("format_version",): -1}, "format_version"),
    "100,000 layers": (config(head__layers=100_000), "do not fit"),
    "layers of convolutions without end": (config(head=CONV), "fit"),
    "layers of attention without end": (config(head=ATTENTION), "fit"),
    "a huge layer": (config(head__hidden=10**8), "do not fit"),
    "stages without end": (config(backbone__stages=[[8, 10**9, 2, 2]]), "do not fit"),
    "a width without end": (config(preprocessing__width_multiple=10**9), "width_multiple"),
    "a text that grows": (config(backbone__stem_kernel="%1000000000d"), "stem_kernel"),
}


@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])
@pytest.mark.parametrize("case", REFUSED)
def test_what_a_card_may_not_say(card, tmp_path, case, suffix):
    changes, named = REFUSED[case]
    for at, value in changes.items():
        card = changed(card, at, value)
    assert named in refusal(write(tmp_path / f"model{suffix}", card))


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{", DEEP, '{"format": "uncial-recognizer"}', "[" * 900, "1" * 9000]
)
@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])
def test_descriptions_that_are_none(tmp_path, text, suffix):
    refusal(write(tmp_path / f"model{suffix}", text))


FIRST = next(iter(WEIGHTS))


def with_first(value: float) -> dict:
    weight = WEIGHTS[FIRST].clone()
    weight.view(-1)[0] = value
    return {**WEIGHTS, FIRST: weight}


OTHER_WEIGHTS = {
    "NaN": (with_first(float("nan")), "NaN"),
    "Inf": (with_first(float("inf")), "NaN or Inf"),
    "overflowing": ({name: one * 1e30 if one.is_floating_point() else one for name, one in WEIGHTS.items()}, "NaN"),
    "of twice the precision": ({name: one.double() for name, one in WEIGHTS.items()}, "do not fit"),
    "of half the precision": ({name: one.half() for name, one in WEIGHTS.items()}, "do not fit"),
    "of another shape": ({**WEIGHTS, FIRST: WEIGHTS[FIRST].flatten()}, "do not fit"),
    "one too many": ({**WEIGHTS, "more": torch.zeros(2)}, "more"),
    "one too few": ({name: one for name, one in WEIGHTS.items() if name != FIRST}, FIRST),
    "none": ({}, "do not fit"),
}


@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])
@pytest.mark.parametrize("case", OTHER_WEIGHTS)
def test_weights_that_are_not_the_models(card, tmp_path, case, suffix):
    weights, named = OTHER_WEIGHTS[case]
    assert named in refusal(write(tmp_path / f"model{suffix}", card, weights))


def test_huge_models_take_neither_time_nor_memory(card, tmp_path):
    cases = {
        "alphabet": changed(card, ("codec", "alphabet"), [chr(0x10000 + number) for number in range(900_000)]),
        "layers": changed(card, ("model", "head", "layers"), 100_000),
        "hidden": changed(card, ("model", "head", "hidden"), 10**8),
        "stages": changed(card, ("model", "backbone", "stages"), [[8, 1, 2, 2]] * 20_000),
    }
    files = [write(tmp_path / f"{name}.safetensors", one) for name, one in cases.items()]
    result = subprocess.run(
        [sys.executable, "-c", LOAD_ALL, *map(str, files)], capture_output=True, text=True, check=True
    )
    refused, before, after = result.stdout.split()
    assert int(refused) == len(files)
    assert (int(after) - int(before)) * (1 if sys.platform == "darwin" else 1024) < 400e6


LOAD_ALL = """
import resource, sys
from pathlib import Path
from uncial.errors import UserError
from uncial.models.files import load_model
before, refused = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0
for path in sys.argv[1:]:
    try:
        load_model(Path(path))
    except UserError:
        refused += 1
print(refused, before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])
def test_a_file_may_be_cut_or_altered_anywhere(card, tmp_path, suffix):
    path = write(tmp_path / f"model{suffix}", card)
    data, dice = path.read_bytes(), random.Random(7)
    for keep in [0, 1, 7, 8, 9, *(dice.randrange(len(data)) for _ in range(20))]:
        path.write_bytes(data[:keep])
        refusal(path)
    ended = []
    for _ in range(30):
        altered = bytearray(data)
        for _ in range(dice.choice([1, 1, 5])):
            altered[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        path.write_bytes(altered)
        ended.append(works_or_is_refused(path))
    assert {*ended} == {True, False}


def repacked(data: bytes, change, compression: int = zipfile.ZIP_STORED) -> bytes:
    """The archive of a checkpoint anew, with another pickle and check sums that are right."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(written, "w", compression) as other:
        for name in archive.namelist():
            content = archive.read(name)
            other.writestr(name, change(content) if name.endswith("data.pkl") else content)
    return written.getvalue()


def test_a_checkpoint_with_an_altered_pickle(card, tmp_path):
    path, dice = write(tmp_path / "last.ckpt", card), random.Random(3)
    data = path.read_bytes()
    path.write_bytes(repacked(data, bytes))
    assert works_or_is_refused(path), "without another byte it is as before"

    def altered(content: bytes) -> bytes:
        changed = bytearray(content)
        for _ in range(dice.choice([1, 1, 4, 20])):
            changed[dice.randrange(len(changed))] = dice.randrange(256)
        return bytes(changed)

    for _ in range(40):
        path.write_bytes(repacked(data, altered))
        works_or_is_refused(path)


def test_a_checkpoint_that_was_packed_is_not_unpacked(card, tmp_path):
    path = write(tmp_path / "last.ckpt", card)
    packed = bytearray(repacked(path.read_bytes(), bytes, zipfile.ZIP_DEFLATED))
    path.write_bytes(packed)
    assert "compressed" in refusal(path)
    packed[len(packed) // 3 : len(packed) // 3 + 40] = random.Random(5).randbytes(40)
    path.write_bytes(packed)
    refusal(path)


STATES = {
    "no state_dict": {},
    "a list": {"state_dict": [1]},
    "texts": {"state_dict": {"model.a": "x"}},
    "numbers as names": {"state_dict": {1: torch.zeros(1)}},
    "a tensor without end": {"state_dict": {"model.a": torch.zeros(1).expand(10**12)}},
    "a sparse tensor": {"state_dict": {"model.a": torch.zeros(2, 2).to_sparse()}},
    "a tensor without numbers": {"state_dict": {"model.a": torch.zeros(2, device="meta")}},
}


@pytest.mark.parametrize("case", STATES)
def test_checkpoints_without_ordinary_weights(card, tmp_path, case):
    torch.save({"uncial": json.dumps(card), **STATES[case]}, tmp_path / "last.ckpt")
    refusal(tmp_path / "last.ckpt")


def test_no_training_goes_on_from_nan(card, tmp_path):
    path = write(tmp_path / "last.ckpt", card, with_first(float("nan")))
    with pytest.raises(UserError, match="NaN"):
        read_state(path)


FOREIGN = {
    "en_best.mlmodel": (b"\x08\x04\x12\x1c" + bytes(500), "kraken"),
    "model.onnx": (b"\x08\x07\x12\x07pytorch", "ONNX"),
    "model.h5": (b"\x89HDF\r\n\x1a\n" + bytes(99), "Keras"),
    "model.keras": (b"PK\x05\x06" + bytes(18), "Keras"),
    "lat.traineddata": (bytes(99), "Tesseract"),
    "model.pkl": (b"\x80\x04\x95" + bytes(99), "pickle"),
    "long.safetensors": (struct.pack("<Q", 2**63) + b"{}", "does not fit"),
    "empty.safetensors": (b"", "cannot be read"),
    "empty.ckpt": (b"", "cannot be read"),
    "noise.safetensors": (bytes(range(256)) * 9, "cannot be read"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_models_of_other_programs_are_named(tmp_path, name):
    content, named = FOREIGN[name]
    (tmp_path / name).write_bytes(content)
    assert named in refusal(tmp_path / name)


def test_checkpoints_and_folders_of_other_programs_are_named(tmp_path):
    torch.save({"pytorch-lightning_version": "2", "state_dict": {"model.laia": torch.zeros(1)}}, tmp_path / "laia.ckpt")
    assert "PyLaia" in refusal(tmp_path / "laia.ckpt")
    torch.save({"pytorch-lightning_version": "2", "state_dict": {}, "x": "kraken.lib"}, tmp_path / "kraken.ckpt")
    assert "kraken" in refusal(tmp_path / "kraken.ckpt")
    torch.save({"weight": torch.zeros(1)}, tmp_path / "model.pth")
    assert "pickle of torch" in refusal(tmp_path / "model.pth")
    save_file({"a": torch.zeros(1)}, tmp_path / "k.safetensors", metadata={"kraken_meta": "{}"})
    assert "kraken" in refusal(tmp_path / "k.safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "bert.safetensors", metadata={"format": "pt"})
    assert "Hugging Face" in refusal(tmp_path / "bert.safetensors")
    for name, named in (("preprocessor_config.json", "Hugging Face"), ("saved_model.pb", "TensorFlow")):
        folder = tmp_path / named
        folder.mkdir()
        (folder / name).touch()
        assert named in refusal(folder)
    assert name_foreign(tmp_path) is None
