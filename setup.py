"""Puts what the program reads beside its code into the package: at the top of the repository a person finds it, in the
package an installed program does. All else is in pyproject.toml."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PACKAGE = "uncial"
READ_BY_THE_PROGRAM = ("conf", "multirun_templates", "docs/coming-from.md")


class build_with_files(build_py):  # noqa: N801
    """An editable installation is left alone: it finds them in the clone."""

    editable_mode: bool = False

    def run(self) -> None:
        if not self.editable_mode:
            # Modules that have gone since the last build would be packed too.
            shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()
        for source, target in self._copies():
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            self.copy_file(source, target, preserve_mode=False)

    def get_source_files(self) -> list[str]:
        """What belongs into the archive of the sources too."""
        return [*super().get_source_files(), *_files()]

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        return [*super().get_outputs(include_bytecode), *(target for _, target in self._copies())]

    def _copies(self) -> Iterator[tuple[str, str]]:
        for source in () if self.editable_mode else _files():
            yield source, str(Path(self.build_lib) / PACKAGE / source)


def _files() -> list[str]:
    """Relative to this folder, from which setuptools runs."""
    top = Path(__file__).parent
    given = [top / name for name in READ_BY_THE_PROGRAM]
    found = [path for one in given for path in ([one] if one.is_file() else one.rglob("*"))]
    return sorted(str(path.relative_to(top)) for path in found if path.is_file())


setup(cmdclass={"build_py": build_with_files})
