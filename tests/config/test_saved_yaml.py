"""What a run has saved is read back as the text that it is, whatever it looks like."""

from hydra.utils import instantiate
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from uncial.config.saved_yaml import (
    escape_for_hydra,
    format_yaml_list,
    load_literal_config,
    parse_yaml,
    read_saved,
    resolve_literally,
)

texts = st.lists(
    st.sampled_from(["\\", "$", "{", "}", "${", "\\${", "oc.env:HOME", "a", ":", "'", '"', " "]), max_size=8
).map("".join)
plain = st.recursive(
    texts | st.integers(-5, 5) | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(plain)
def test_a_config_of_plain_values_has_these_values(value):
    config = load_literal_config({"key": value})
    assert OmegaConf.to_container(config, resolve=True) == {"key": value}
    assert OmegaConf.to_container(resolve_literally(config), resolve=True) == {"key": value}
    assert parse_yaml(OmegaConf.to_yaml(config, resolve=True)) == {"key": value}


@settings(max_examples=200, deadline=None)
@given(plain)
def test_what_hydra_makes_of_it_has_these_values(value):
    made = instantiate(escape_for_hydra({"_target_": "builtins.dict", "key": value}), _convert_="all")
    assert made == {"key": value}


@settings(max_examples=100, deadline=None)
@given(st.lists(texts, max_size=4))
def test_lists_of_what_was_typed_are_read_back(tmp_path_factory, lines):
    path = tmp_path_factory.getbasetemp() / "overrides.yaml"
    path.write_text(format_yaml_list(lines), encoding="utf-8")
    assert read_saved(path) == lines
