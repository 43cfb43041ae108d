"""TensorBoard's event files of a run that is resumed: without what was logged after its state was written."""

from pathlib import Path

from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader  # type: ignore[import-untyped]
from tensorboard.summary.writer.record_writer import RecordWriter  # type: ignore[import-untyped]

from uncial.files import replace_file
from uncial.runs.files import RunFolder


def cut_events(folder: Path, until: float, shift: int = 0) -> None:
    """Leave the events below `folder`/tensorboard that are older than `until` (seconds since 1970), their steps higher
    by `shift`.

    A step does not tell: the validation after a step is logged under the same step. A record at the end of a file that
    was cut short by a kill goes too.
    """
    for path in sorted(RunFolder(folder).tensorboard.rglob("*.tfevents.*")):
        events = [event for event in LegacyEventFileLoader(str(path)).Load() if event.wall_time <= until]
        if not any(event.HasField("summary") for event in events):
            path.unlink()
            continue
        with replace_file(path) as temporary, temporary.open("wb") as file:
            writer = RecordWriter(file)
            for event in events:
                event.step += shift if event.HasField("summary") else 0
                writer.write(event.SerializeToString())
