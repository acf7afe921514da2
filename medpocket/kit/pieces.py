"""Copy a file into a kit, hashed on the way; a large one in pieces, for file systems that take no larger files."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from medpocket.kit.manifest import Listed
from medpocket.models.copying import BLOCK, new_file

FILE_MODE = 0o644  # a kit is for whoever holds it


def copy_in_pieces(
    source: Path, target: Path, most: int | None, copied: Callable[[int], None] = lambda _bytes: None
) -> tuple[dict[Path, Listed], Listed]:
    """Copy `source` to the new file `target`, or to `target.part-01` and so on where it has more than `most` bytes.

    Returns what was written, in order, and the source as a whole. `copied` is told the bytes done. Raises OSError.
    """
    count = -(-source.stat().st_size // most) if most else 1
    places = [target] if count <= 1 else [target.with_name(f"{target.name}.part-{n + 1:02}") for n in range(count)]
    room = most if most and count > 1 else None
    whole, done = hashlib.sha256(), 0
    written: dict[Path, Listed] = {}
    with source.open("rb", buffering=0) as reading:
        for place in places:
            piece, size = hashlib.sha256(), 0
            with new_file(place, FILE_MODE) as write:
                while block := reading.read(BLOCK if room is None else min(BLOCK, room - size)):
                    write(memoryview(block))
                    piece.update(block)
                    whole.update(block)
                    size += len(block)
                    copied(done + size)
            place.chmod(FILE_MODE)
            done += size
            written[place] = Listed(size, piece.hexdigest())
    return written, Listed(done, whole.hexdigest())
