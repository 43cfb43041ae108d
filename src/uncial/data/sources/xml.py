"""`data=xml`: PAGE and ALTO files side by side, found out for each file."""

from uncial.data.settings import SourceSettings
from uncial.data.sources.transcribed_pages import read_settings
from uncial.document import SourceContents


def read(settings: SourceSettings) -> SourceContents:
    """The pages of all PAGE and ALTO files that the settings name. Raises UserError where there is none."""
    return read_settings(settings, ("page", "alto"))
