"""kraken's compiled files, made for tests."""

import json

import pyarrow as pa


def write_arrow(path, rows, batch=2, columns=("train", "validation", "test"), language=True):
    """A file as `ketos compile` writes it: rows are (text, image, language, subset)."""
    fields = [("text", pa.string()), ("im", pa.binary())] + ([("language", pa.string())] if language else [])
    kind = pa.struct(fields)
    schema = pa.schema([("lines", kind), *((name, pa.bool_()) for name in columns)])
    schema = schema.with_metadata({"lines": json.dumps({"type": "kraken_recognition_baseline", "im_mode": "L"})})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for start in range(0, len(rows), batch):
            part = rows[start : start + batch]
            lines = [{name: row[i] for i, (name, _) in enumerate(fields)} for row in part]
            flags = [[row[3] == name for row in part] for name in columns]
            arrays = [pa.array(lines, kind), *(pa.array(flag, pa.bool_()) for flag in flags)]
            writer.write(pa.RecordBatch.from_arrays(arrays, schema=schema))
    return path
