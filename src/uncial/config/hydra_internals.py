"""What the program uses of Hydra that is no public part of it: a later Hydra may need another version of this module,
and of this one alone."""

from hydra._internal.core_plugins.basic_launcher import BasicLauncher
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.utils import get_args_parser

__all__ = ["BasicLauncher", "BasicSweeper", "get_args_parser"]
