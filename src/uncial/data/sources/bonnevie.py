"""`data=bonnevie`: pages as Transkribus and Loghi leave them, in a folder to fine-tune on and one to test on."""

import os
from dataclasses import replace
from pathlib import Path

from uncial.data.settings import SourceSettings
from uncial.data.sources.xml import read_files
from uncial.data.sources.xml_files import find_files_in_folder
from uncial.document import SourceContents
from uncial.errors import UserError

SUBSETS = {"finetune": "trainval", "test": "test"}


def read(settings: SourceSettings) -> SourceContents:
    """Return the pages of `finetune/` (subset `trainval`, to be split by page) and of `test/`.

    Raises UserError where there is no usable page in `finetune/`.
    """
    if part := next((part for part in ("train", "val", "test") if getattr(settings, part)), None):
        raise UserError(
            f"data=bonnevie takes its parts from finetune/ and test/, and no data.{part}: name them all with "
            "data=page, data.train, data.val and data.test"
        )
    roots = [Path(os.path.abspath(Path(root).expanduser())) for root in settings.root]  # noqa: PTH100
    files = [
        file
        for root in roots
        for folder, subset in SUBSETS.items()
        for file in find_files_in_folder(root / folder, root, settings, subset)
    ]
    reading = read_files(files, settings, ("page", "alto"))
    if not any(page.subset == "trainval" for page in reading.pages):
        raise UserError(_describe_expected(roots, reading))
    tested = next((root / "test" for root in roots if (root / "test").is_dir()), None)
    return replace(reading, stated={"test": f"the folder {tested}"} if tested else {})


def _describe_expected(roots: list[Path], reading: SourceContents) -> str:
    root = roots[0] if roots else Path("data/bonnevie")
    found = f"{root} does not exist"
    if root.is_dir():
        found = f"{root} holds no usable page to train on"
    if reading.problems:
        found += f" ({reading.problems[0].file}: {reading.problems[0].reason})"
    return (
        f"data=bonnevie: {found}; expected are page images {root}/finetune/*.jpg with their PAGE XML in "
        f"{root}/finetune/page/*.xml, and likewise {root}/test/*.jpg with {root}/test/page/*.xml. Put them there "
        "or set data.root; data=synthetic trains on pages that the program draws itself."
    )
