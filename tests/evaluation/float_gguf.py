"""A GGUF file written anew with all of its matrices as F32."""

from pathlib import Path

import gguf

_WRITERS_OWN = frozenset({"GGUF.version", "GGUF.tensor_count", "GGUF.kv_count", gguf.Keys.General.ARCHITECTURE})


def write_as_f32(path: Path, out: Path) -> Path:
    """Copy keys and (dequantized) tensors of `path` to `out`."""
    reader = gguf.GGUFReader(path)
    writer = gguf.GGUFWriter(out, str(reader.fields[gguf.Keys.General.ARCHITECTURE].contents()))
    for name, entry in reader.fields.items():
        if name not in _WRITERS_OWN:
            kind, *inner = entry.types
            value = 0 if name == gguf.Keys.General.FILE_TYPE else entry.contents()
            writer.add_key_value(name, value, kind, sub_type=inner[-1] if inner else None)
    for tensor in reader.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        writer.add_tensor(tensor.name, values.reshape(*map(int, reversed(tensor.shape))))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return out
