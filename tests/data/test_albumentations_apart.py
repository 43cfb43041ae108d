"""What albumentations is not asked for: it is imported only for its own transforms, and asks the network for nothing.

Each in a process of its own, for what is imported here would be imported there.
"""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONF = ROOT / "conf" / "augmentation"
SWITCH = "NO_ALBUMENTATIONS_UPDATE"


def python(tmp_path: Path, code: str, *arguments: str, **environment: str) -> str:
    """What a program prints, which knows nothing of albumentations' switch but what `environment` says."""
    script = tmp_path / "program.py"
    script.write_text(textwrap.dedent(code), encoding="utf-8")
    known = {name: value for name, value in os.environ.items() if name != SWITCH}
    ended = subprocess.run(
        [sys.executable, str(script), *arguments],
        env={**known, **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


APPLY = """
import sys
from pathlib import Path
import numpy as np
from omegaconf import OmegaConf
from uncial.data.augmentation.chain import build_augmentation

augmentation = build_augmentation(OmegaConf.load(sys.argv[1]))
image = np.full((48, 200), 255, np.uint8)
image[12:36, 20:180:9] = 20
varied = [augmentation(image, 1, 0, index) for index in range(40)]
print("albumentations" in sys.modules, len({one.tobytes() for one in varied}))
"""


@pytest.mark.parametrize("name", ["light", "default"])
def test_a_chain_of_ours_alone_imports_no_albumentations(tmp_path, name):
    imported, different = python(tmp_path, APPLY, str(CONF / f"{name}.yaml")).split()
    assert imported == "False"
    assert int(different) > 10


def test_albumentations_may_be_missing_where_none_of_its_transforms_is_asked_for(tmp_path):
    hidden = "import sys\nsys.modules['albumentations'] = None\n"
    assert python(tmp_path, hidden + APPLY, str(CONF / "default.yaml")).split()[0] == "True"  # the None itself


def test_the_program_comes_to_the_data_of_a_training_without_it(tmp_path):
    ended = subprocess.run(
        [sys.executable, str(ROOT / "run.py"), "data=page", f"data.root={tmp_path / 'nowhere'}"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert ended.returncode == 1
    assert "nowhere does not exist" in ended.stderr
    imported = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines() if "import time:" in line}
    assert "torch" in imported
    assert "albumentations" not in imported


WATCHED = """
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

ASKED = []


def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        ASKED.append(event)
        raise ConnectionRefusedError("there is no network")


sys.addaudithook(refuse)


def vary(files):
    import numpy as np
    from omegaconf import OmegaConf
    from uncial.data.augmentation.chain import build_augmentation

    image = np.full((48, 200), 255, np.uint8)
    image[12:36, 20:180:9] = 20
    for file in files:
        augmentation = build_augmentation(OmegaConf.load(file))
        for index in range(20):
            augmentation(image, 1, 0, index)
    return "albumentations" in sys.modules, ASKED


if __name__ == "__main__":
    files = sys.argv[1:]
    print(*vary(files))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as workers:
        print(*workers.submit(vary, files).result())
"""


def test_every_group_works_without_a_network_and_asks_for_none(tmp_path):
    """In the process that is begun and in one that it spawns, and where a module of a user's imports it first."""
    (tmp_path / "own_blur.py").write_text("import albumentations\n\n\nclass Blur(albumentations.Blur):\n    pass\n")
    group = tmp_path / "own.yaml"
    group.write_text(
        "_target_: uncial.data.augmentation.chain.Augmentation\ntransforms:\n  - _target_: own_blur.Blur\n    p: 0.5\n"
    )
    files = [str(group), *(str(path) for path in sorted(CONF.glob("*.yaml")) if not path.stem.startswith("page"))]
    assert len(files) == 8
    assert python(tmp_path, WATCHED, *files, **{SWITCH: "0"}).splitlines() == ["True []", "True []"]


def test_the_trust_in_a_saved_config_is_checked_without_a_network(tmp_path):
    check = """
    from uncial.config.trust import check_saved_targets

    check_saved_targets({"augmentation": {"_target_": "albumentations.OneOf"}}, (), "config.yaml")
    print("albumentations" in sys.modules, ASKED)
    """
    begin = WATCHED.partition("def vary")[0]
    assert python(tmp_path, begin + textwrap.dedent(check)).strip() == "True []"


def test_albumentations_own_chain_seeds_ours_where_there_is_no_chain_of_this_program(tmp_path):
    code = """
    import albumentations
    import numpy as np
    from uncial.data.augmentation.strokes import InkTone
    from uncial.data.augmentation.distortion import LineWarp

    image = np.full((48, 200), 255, np.uint8)
    image[12:36, 20:180:9] = 20
    for _ in range(2):
        chain = albumentations.Compose([LineWarp(slant=20), InkTone(p=0.5)], seed=4)
        print(*(int(chain(image=image)["image"].astype(int).sum()) for _ in range(3)))
    """
    first, second = python(tmp_path, code).splitlines()
    assert first == second
    assert len(set(first.split())) == 3


def test_by_itself_albumentations_does_ask(tmp_path):
    """Else the tests above would hold for any program."""
    begin = WATCHED.partition("def vary")[0]
    assert "True ['socket." in python(
        tmp_path, begin + "import albumentations\nprint('albumentations' in sys.modules, ASKED)"
    )
