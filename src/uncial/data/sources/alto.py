"""`data=alto`: ALTO XML files with their page images."""

from uncial.data.settings import SourceSettings
from uncial.data.sources.transcribed_pages import read_settings
from uncial.document import SourceContents


def read(settings: SourceSettings) -> SourceContents:
    """The pages of all ALTO files that the settings name, no other XML. Raises UserError where there is none."""
    return read_settings(settings, ("alto",))
