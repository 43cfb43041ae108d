"""Tables of what is learned as something else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncial.errors import UserError
from uncial.text.replacements import read_replacements, replace_in
from uncial.text.rules import TextRules

KEY = "model.text.replacements"


def table_of(value):
    return read_replacements(value, KEY, "nfc_strip")


FILES = {
    "tabs.txt": "# long s\nſ\ts\n\nꝑ\tper\nU+F1AC\tus\n#\tnumber\n",
    "table.json": json.dumps({"ſ": "s", "ꝑ": "per", "\uf1ac": "us", "#": "number"}),
    "two.csv": 'ſ,s\nꝑ,per\nU+F1AC,us\n#,"number"\n',
    "chocomufin.csv": "char,name,replacement,codepoint\nſ,S,s,017F\nꝑ,P,per,A751\n\uf1ac,,us,F1AC\n#,N,number,23\n",
}


@pytest.mark.parametrize("name", FILES)
def test_every_form_of_a_table_means_the_same(tmp_path, name):
    path = tmp_path / name
    path.write_text(FILES[name], encoding="utf-8")
    table = table_of(str(path))
    assert table == table_of({"ſ": "s", "ꝑ": "per", "U+F1AC": "us", "#": "number"})
    assert replace_in("ꝑſona ꝑ\uf1ac #", table) == "persona perus number"


def test_the_longest_is_replaced_first_and_nothing_twice():
    table = table_of([["ab", "x"], ["a", "b"], ["b", "a"]])
    assert replace_in("aabb", table) == "bxa"


def test_what_is_replaced_is_found_in_the_form_of_the_text():
    rules = TextRules("nfc_strip", table_of({"e\u0301": "e"}))
    assert rules.prepare(" re\u0301el ") == rules.prepare("réel") == "reel"
    assert TextRules("nfc_strip", table_of({"x": "e\u0301"})).prepare("x") == "é"


def test_what_chocomufin_allows_is_not_replaced(tmp_path):
    """As `chocomufin generate` writes a table: what is allowed has an empty replacement."""
    path = tmp_path / "table.csv"
    path.write_text(
        "char,name,replacement,regex,allow\na,LATIN SMALL LETTER A,,,true\nẏ,LATIN SMALL LETTER Y WITH DOT ABOVE,y,,\n"
        "[b-z],All letters,,true,true\n\u25cc\u0365,COMBINING LATIN SMALL LETTER I,\u25cc\u0368,,\n\u25cc,,o,,\n",
        encoding="utf-8",
    )
    assert replace_in("aẏb q\u0365\u25cc", table_of(str(path))) == "ayb q\u0368o"


@given(st.text(max_size=20))
def test_without_a_table_text_stays(text):
    assert TextRules("none").prepare(text) == text


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (3, "give a table"),
        (["a"], "give a table"),
        ("nowhere.tsv", "nowhere.tsv: the table cannot be read"),
        ([["a", "b"], ["a", "c"]], "'a' is to become both 'b' and 'c'"),
        ([["", "b"]], "nothing cannot be replaced"),
        ({"a": None}, 'write "" to leave it out'),
        ({"U+110000": "x"}, "no code point"),
    ],
)
def test_a_wrong_table_is_told(value, told):
    with pytest.raises(UserError) as error:
        table_of(value)
    assert told in str(error.value)
    assert KEY in str(error.value)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.txt", "ſ s\n", "line 1"),
        ("a.json", "{", "no JSON"),
        ("a.json", "[1]", "a JSON object is expected"),
        ("a.csv", "a,b,c\n", "two columns"),
        ("a.csv", "char,replacement\na\n", "a row has no replacement"),
        ("a.csv", "char,replacement,regex\n[ab],c,true\n", "'[ab]' is a regular expression"),
        ("a.csv", "char,replacement\n#r#[ab],c\n", "regular expression"),
    ],
)
def test_a_broken_file_is_told_with_its_name(tmp_path, name, content, told):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(UserError) as error:
        table_of(str(tmp_path / name))
    assert told in str(error.value)
    assert name in str(error.value)
