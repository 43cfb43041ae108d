"""From a format's name to the function that reads it.

`data.format` is a name and not a `_target_`: users type it (`data.format=alto`, `{format: page}` in `data.sources`),
saved configs hold it, and messages and run folders call the data by it.
"""

import importlib

from uncial.data.settings import SourceSettings
from uncial.document import SourceContents
from uncial.errors import UserError

SOURCES = "uncial.data.sources"

SHARED_MODULES = {"page": "xml", "alto": "xml"}
"""Formats that have no module of their own, and the module with their function `read_FORMAT`."""


def read_source(settings: SourceSettings) -> SourceContents:
    """Read the pages that the settings name.

    The reader is the function `read_FORMAT` or `read` of the module `uncial.data.sources.FORMAT`, or `read` of the
    module of the user's own whose dotted path `data.format` is. Raises `UserError` where there is none.
    """
    name = settings.format.removeprefix(f"{SOURCES}.")
    address = name if "." in name else f"{SOURCES}.{SHARED_MODULES.get(name, name)}"
    try:
        module = importlib.import_module(address)
    except ModuleNotFoundError as error:
        if error.name is None or not address.startswith(error.name):
            raise
        raise UserError(
            f"data.format={settings.format}: there is no module {address}; "
            "name a format of conf/data or the dotted path of your own."
        ) from None
    read = getattr(module, f"read_{name}", None) or getattr(module, "read", None)
    if read is None:
        raise UserError(f"data.format={settings.format}: {address} has no function `read` that reads pages.")
    contents: SourceContents = read(settings)
    return contents
