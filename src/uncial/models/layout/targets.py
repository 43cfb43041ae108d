"""Which maps the model `layout` and its like learn."""

from uncial.data.pages.maps import MapPlan
from uncial.models.contracts import PlainPart


class LinesAndRegions(MapPlan, PlainPart):
    """Baselines with their ends, directions and heights, and the types of regions: `data.pages.maps` says how."""
