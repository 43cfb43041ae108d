"""From a format's name to the function that reads it.

`data.format` is a name and not a `_target_`: users type it (`data.format=alto`, `{format: page}` in `data.sources`),
saved configs hold it, and messages and run folders call the data by it.
"""

import importlib

from uncial.data.settings import SourceSettings
from uncial.document import SourceContents
from uncial.errors import UserError

SOURCES = "uncial.data.sources"

SHARED_READERS = {"page": ("xml", "read_page"), "alto": ("xml", "read_alto"), "xml": ("xml", "read_xml")}
"""Formats that one module reads: its name, and its function for each of them."""


def read_source(settings: SourceSettings) -> SourceContents:
    """Read the pages that the settings name.

    The reader is the function `read` of the module `uncial.data.sources.FORMAT`, one of `SHARED_READERS`, or `read` of
    the module of the user's own whose dotted path `data.format` is. Raises `UserError` where there is none.
    """
    name = settings.format.removeprefix(f"{SOURCES}.")
    module_name, function = SHARED_READERS.get(name, (name, "read"))
    address = module_name if "." in module_name else f"{SOURCES}.{module_name}"
    try:
        module = importlib.import_module(address)
    except ModuleNotFoundError as error:
        if error.name is None or not address.startswith(error.name):
            raise
        raise UserError(
            f"data.format={settings.format}: there is no module {address}; "
            "name a format of conf/data or the dotted path of your own."
        ) from None
    read = getattr(module, function, None)
    if read is None:
        raise UserError(f"data.format={settings.format}: {address} has no function `{function}` that reads pages.")
    contents: SourceContents = read(settings)
    return contents
