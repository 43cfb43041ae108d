"""Each option of the peers has its place on the page, and each key named there exists and takes its value."""

import re
from functools import cache

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from program import ROOT

from uncial import config_keys

KETOS_TRAIN = """
--arch -B --batch-size --pad -o --output --weights-format -s --spec --variant --height --max-width -i --load --resume
-F --freq -q --quit -N --epochs --min-epochs --lag --min-delta --optimizer -r --lrate -m --momentum -w --weight-decay
--gradient-clip-val --accumulate-grad-batches --warmup --freeze-backbone --schedule -g --gamma -ss --step-size
--sched-patience --cos-max --cos-min-lr -p --partition -u --normalization -n --normalize-whitespace -c --codec --resize
--reorder --no-reorder --base-dir -t --training-data -e --evaluation-data -f --format-type --linetype --augment
--no-augment --logger --log-dir --legacy-polygons"""
"""What `ketos train --help` of kraken 7.1.1 lists."""

LOGHI_VARIABLES = """
VERSION HTRLOGHI HTRLOGHIMODELHEIGHT USEBASEMODEL HTRBASEMODEL HTRLOGHIMODEL HTRNEWMODEL channels GPU listdir trainlist
validationlist datadir charlist epochs height multiply REPLACEFINALLAYER batch_size model_name learning_rate DECAYSTEPS
rnn_layers rnn_units tmpdir outputdir"""
"""What Loghi's scripts that train have had their users set, in all versions."""


@cache
def rows():
    """(names there, the cells beside them) of every row of the page's tables."""
    text = (ROOT / "docs" / "coming-from.md").read_text(encoding="utf-8")
    cells = [line.strip("|").split("|") for line in text.splitlines() if re.match(r"\| `", line)]
    titles = [line.strip("|").split("|") for line in re.findall(r"^(\|.*)\n\|---", text, re.MULTILINE)]
    return [(re.findall(r"`([^`]+)`", row[0]), " ".join(row[1:])) for row in cells if row not in titles]


def commands():
    spans = [span for _, cell in rows() for span in re.findall(r"`([^`]+)`", cell)]
    return sorted({span for span in spans if "=" in span})


def test_every_option_and_variable_has_its_row():
    named = {name for names, _ in rows() for name in names}
    assert not {*KETOS_TRAIN.split(), *LOGHI_VARIABLES.split()} - named


def test_every_row_has_a_key_or_a_reason():
    for names, cell in rows():
        assert re.search(r"`[\w/.]+=", cell) or "Not here" in cell, names


def together():
    """The commands in as few compositions as can be, no key twice in one."""
    batches = []
    for command in commands():
        keys = {word.partition("=")[0] for word in command.split()}
        batch = next((batch for batch in batches if not keys & batch.keys()), None)
        if batch is None:
            batches.append(batch := {})
        batch.update({word.partition("=")[0]: word for word in command.split()})
    return [list(batch.values()) for batch in batches]


def test_every_key_named_exists_and_takes_its_value(monkeypatch):
    monkeypatch.setattr(config_keys, "known_keys", cache(config_keys.known_keys))
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(ROOT / "conf"), version_base=None):
        for overrides in together():
            config_keys.check_values(compose("config", overrides=overrides), ROOT / "conf")
