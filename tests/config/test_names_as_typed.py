"""Names, paths and groups are taken as they are typed, whatever else they look like to the grammar."""

import shutil
from pathlib import Path

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given, settings
from hypothesis import strategies as st
from program import ROOT, run_program

from uncial.config.keys import group_names, list_known_keys
from uncial.config.overrides import format_hydra_value, quote_plain_names
from uncial.config.schema import list_rules

CONF = ROOT / "conf"
NUMBERLIKE = ["2025", "12.10", "1744_1745", "7_7", "1e3", "0x10", "007", "-5", "true", "No", "Null", "inf", "nan", ".5"]
NUMBERLIKE += ["2025-01-01", "12:30", "1_000.5", "1.", "+5", "TRUE"]


def value_of(argument: str):
    return OverridesParser.create().parse_override(argument).value()


@pytest.mark.parametrize("name", NUMBERLIKE)
@pytest.mark.parametrize("key", ["name", "predict.output", "data.root", "+logger.wandb.group"])
def test_a_name_is_what_was_typed(name, key):
    assert [value_of(one) for one in quote_plain_names([f"{key}={name}"], CONF)] == [name]
    assert [value_of(one) for one in quote_plain_names([f"{key}=[a,{name}, {name}]"], CONF)] == [["a", name, name]]
    (typed,) = quote_plain_names(["-m", f"{key}=x,{name}"], CONF)[1:]
    assert [*map(_text, value_of(typed).list)] == ["x", name]
    (typed,) = quote_plain_names(["-m", f"{key}=choice({name},'1_2')"], CONF)[1:]
    assert [*map(_text, value_of(typed).list)] == [name, "1_2"]


def _text(value):
    return getattr(value, "text", value)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=8))
def test_any_name_written_for_the_command_line_is_read_as_it_was(name):
    assert [value_of(one) for one in quote_plain_names([f"predict.output={format_hydra_value(name)}"], CONF)] == (
        [None] if name == "null" else [name]
    )


@pytest.mark.parametrize(
    "argument",
    [
        "data.root=null",
        "seed=7_7",
        "trainer.max_steps=1_000",
        "data.ratio=[0.8,0.1,0.1]",
        "data.root='1_2'",
        "data.root=1_2,3_4",
        "~name",
        "optimizer.lr=1e-3",
        "--cfg",
        "data.strict=true",
        'name="a,1_2"',
        "data.sources={a: {root: x}}",
        "name=a=b",
    ],
)
def test_all_else_stays(argument):
    assert quote_plain_names([argument], CONF) == [argument]


def test_the_keys_of_names_are_keys_and_no_numbers():
    known = {*list_known_keys(CONF), "hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir"}
    later = {"layout", "trust", "data.split_from"}
    names = {key for key, rule in list_rules().items() if rule.key.is_name}
    assert names - later <= known
    assert not names & {*(key for key, rule in list_rules().items() if rule.is_number), *group_names(CONF)}


@pytest.mark.parametrize("value", ["false", "null", "0", "1.5", "true", "[null]", "2_5"])
@pytest.mark.parametrize("group", ["augmentation", "logger", "scheduler", "model", "data", "task", "model/head"])
def test_a_group_chosen_by_no_name_ends_in_one_sentence_with_the_choices(run, group, value):
    ended = run(f"{group}={value}")
    assert ended.code == 1, ended
    assert len(ended.output.splitlines()) == 1, ended
    assert f"{group}={value.strip('[]')} does not exist" in ended.output
    assert "Choices: " in ended.output


def test_what_a_group_of_nothing_is_called_is_told(run):
    assert "Did you mean none?" in run("augmentation=false").output
    assert "Did you mean default?" in run("logger=null").output
    assert "data is chosen by a name" in run("data={a: 1}").output
    assert run("task=dryrun", "experiment=null", "sweep=null").code == 0


def test_null_among_the_values_of_a_sweep_means_none():
    assert quote_plain_names(["-m", "pretrained=null,1_2"], CONF)[1] == "pretrained=null,'1_2'"
    assert quote_plain_names(["-m", "data.split_from=choice(null, x)"], CONF)[1] == "data.split_from=choice(null, x)"
    assert quote_plain_names(["-m", "experiment=null,auto"], CONF)[1] == "experiment=[],auto"
    assert quote_plain_names(["-m", "augmentation=null,none"], CONF)[1] == "augmentation='null',none"
    assert quote_plain_names(["data.root=[null,x]"], CONF) == ["data.root=['null',x]"]


def test_a_sweep_may_compare_an_experiment_with_none(run):
    ended = run("-m", "experiment=null,bonnevie_finetune", "task=dryrun", "pretrained=x")
    assert ended.code == 0, ended


def test_folders_that_look_like_numbers_are_read_and_written(trained, drawn, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("1744_1745", "12.10", "true"):
        shutil.copytree(drawn / "page", tmp_path / name)
    typed = ("task=predict", f"checkpoint={trained.folder}", "predict.input=[1744_1745,12.10,true]")
    ended = run_program(tmp_path / "run", *typed, "predict.output=2025", "name=7_7")
    assert ended.code == 0, ended
    assert len(list(Path("2025").rglob("*.xml"))) == 36
    config = yaml.safe_load(ended.read("config.yaml"))
    assert (config["name"], config["predict"]["output"]) == ("7_7", "2025")
    again = run_program(tmp_path / "again", "task=inspect", "data=page", "data.root=1744_1745", "paths.store=1e3")
    assert again.code == 0, again
    assert len(list(Path("1e3").glob("*.arrow"))) == 1


def test_a_number_in_a_config_file_is_no_name(run, tmp_path):
    (tmp_path / "conf/experiment").mkdir(parents=True)
    for number, content in enumerate(("name: 1744_1745", "data: {root: [x, 1858]}", "paths: {outputs: 12:30}")):
        (tmp_path / f"conf/experiment/own{number}.yaml").write_text(f"# @package _global_\n{content}\n")
        ended = run("--config-dir", str(tmp_path / "conf"), "task=dryrun", f"experiment=own{number}")
        assert ended.code == 1, ended
        assert "put the name in quotes" in ended.output


@pytest.mark.parametrize("root", ["1744_1745", "12.10", "[pages, 2025]"])
def test_a_number_in_a_table_of_sources_is_no_name(run, root):
    ended = run("task=inspect", "data=mixed", f"data.sources=[{{format: page, root: {root}}}]")
    assert ended.code == 1, ended
    assert "data.sources: root is" in ended.output
    assert "put the name in quotes" in ended.output


def test_a_missing_folder_of_a_source_is_told_by_its_key(run, tmp_path):
    ended = run("task=inspect", "data=mixed", f"data.sources=[{{format: page, root: {tmp_path / 'none'}}}]")
    assert ended.code == 1, ended
    assert f"root of an entry of data.sources: {tmp_path / 'none'} does not exist" in ended.output
