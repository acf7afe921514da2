"""Stop llama.cpp from another thread without taking Python's interpreter lock."""

import ctypes
import ctypes.util
import sys
from typing import Any, ClassVar


def _byte_reader() -> Any:
    """Return a C function `bool f(char *)` that tells whether the byte at its argument is set.

    llama.cpp calls it after every operation of a decode, a thousand times a token. A Python callback would wait
    each time for the interpreter lock, which a busy user interface holds; the C library's own `strlen` needs none,
    and the length of a string of one byte or none is the answer.
    """
    library = ctypes.CDLL("msvcrt" if sys.platform == "win32" else None)
    return library.strlen


class Cancellation:
    """A flag that any thread sets and llama.cpp reads in the middle of a decode."""

    reader: ClassVar[Any] = _byte_reader()

    def __init__(self) -> None:
        self._flag = ctypes.create_string_buffer(2)

    def set(self) -> None:
        self._flag[0] = b"\x01"

    def is_set(self) -> bool:
        return self._flag[0] != b"\x00"

    @property
    def address(self) -> int:
        """Where the byte lies; valid while this object lives."""
        return ctypes.addressof(self._flag)
