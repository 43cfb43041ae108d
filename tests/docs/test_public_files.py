"""The files that a public project has say the same as the project itself."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from program import ROOT

RESULTS = ROOT / "tests" / "benchmarks" / "results"
BENCHMARKS = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
RECORDED = re.compile(r"^\d{4}-\d\d-\d\d, ([0-9a-f]{7})$")


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def tables(text: str) -> list[list[list[str]]]:
    """The rows of each table, its head the first of them."""
    found, rows = [], []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            if not set(line) <= set("|-: "):
                rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows:
            found.append(rows)
            rows = []
    return found


def results() -> list[tuple[list[str], list[str]]]:
    """(head, row) of each result of the benchmarks' page."""
    return [(table[0], row) for table in tables(BENCHMARKS) if table[0][-1] == "date, commit" for row in table[1:]]


def test_every_result_has_its_command_machine_date_and_commit():
    assert len(results()) >= 35
    for head, row in results():
        assert len(row) == len(head), row
        assert all(row), row
        assert RECORDED.match(row[-1]), row
        assert {"command", "machine"} <= set(head)


def test_commits_of_the_results_are_the_project_s():
    log = subprocess.run(["git", "log", "--format=%cs, %h", "--abbrev=7"], cwd=ROOT, capture_output=True, text=True)
    known = log.stdout.splitlines()
    if len(known) < 100:
        pytest.skip("the history is not here")
    assert {row[-1] for _, row in results()} - set(known) == set()


def test_the_figures_of_the_readme_are_those_of_the_benchmarks():
    readme = (ROOT / "README.md").read_text(encoding="utf-8").split("## How good")[1].split("\n## ")[0]
    figures = re.findall(r"\d+\.\d+ % \([\d.]+ to [\d.]+\)", readme)
    assert len(figures) >= 5
    assert [figure for figure in figures if figure not in BENCHMARKS] == []


def links(page: Path) -> list[str]:
    """The files that a page links to."""
    found = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    return [target for target in found if not target.startswith("http")]


@pytest.mark.parametrize("page", sorted([*RESULTS.glob("*.md"), ROOT / "CHANGELOG.md"]), ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    assert [target for target in links(page) if not (page.parent / target).exists()] == []


def test_links_are_found():
    assert len(links(RESULTS / "README.md")) > 5


def test_anchors_of_the_pages_exist():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *RESULTS.glob("*.md")]
    named = [
        (page, target, anchor)
        for page in pages
        for target, anchor in re.findall(r"\]\(([^)#\s]*\.md)?#([^)\s]+)\)", page.read_text(encoding="utf-8"))
    ]
    assert len(named) > 20
    for page, target, anchor in named:
        assert anchor in anchors(page.parent / target if target else page), f"{page.name} links to {target}#{anchor}"


def anchors(page: Path) -> set[str]:
    """What GitHub and GitLab make of the headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_citation_names_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["version"] == project()["version"]
    assert citation["license"] == project()["license"]


def test_changelog_has_this_version():
    assert f"\n## {project()['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_hooks_run_what_make_test_checks_before_the_tests():
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").split("\ntest:")[1].split("\n\n")[0].splitlines()
    checks = [line.strip() for line in lines if re.search(r"-m (ruff|mypy)", line)]
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    assert [hook["entry"] for hook in hooks] == checks
    assert all(hook["pass_filenames"] is False and hook["language"] == "system" for hook in hooks)


def test_what_the_image_copies_is_let_through():
    """`.dockerignore` takes everything out but what an installation reads."""
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    assert next(rule for rule in rules if rule and not rule.startswith("#")) == "*"
    let_through = [rule[1:] for rule in rules if rule.startswith("!")]
    assert {"src", "conf", "multirun_templates", "pyproject.toml", "constraints.txt", "README.md"} <= set(let_through)
    assert not {"data", "outputs", ".git", ".venv", "tests"} & set(let_through)
    copied = re.findall(r"^COPY (\S+) ", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert all(name == "." or name in let_through for name in copied)


def test_the_image_installs_extras_that_there_are():
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    extras = re.search(r"'\.\[([^\]]+)\]'", text)[1].split(",")
    assert set(extras) <= project()["optional-dependencies"].keys()
    assert "--constraint constraints.txt" in text
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert all(f"\n{name}==" in pinned for name in ("torch", "torchvision"))
