"""LoRA adapters in memory, and which of them act."""

import ctypes
from collections import OrderedDict
from collections.abc import Callable

import llama_cpp

from medpocket.engine.logs import LlamaLog, reason
from medpocket.engine.protocol import AdapterFile, Scaled
from medpocket.errors import AdapterError, MemoryShortError
from medpocket.text import printable

MARGIN_BYTES = 64 * 10**6  # stays free beside an adapter that is loaded


class Adapters:
    """The adapters of one context: any number resident, some of them active.

    Resident ones cost memory and nothing else; they are dropped by least recent use where memory is short.
    """

    def __init__(self, model: int, context: int, log: LlamaLog, available_bytes: Callable[[], int]) -> None:
        self._model, self._context, self._log = model, context, log
        self._available_bytes = available_bytes
        self._resident: OrderedDict[str, int] = OrderedDict()  # by hash, the least recently used first
        self._active: tuple[tuple[str, float], ...] = ()
        self.switches = 0

    @property
    def resident(self) -> tuple[str, ...]:
        """Hashes of the adapters in memory, the least recently used first."""
        return tuple(self._resident)

    def load(self, files: tuple[AdapterFile, ...]) -> None:
        """Have all of `files` in memory. Raises AdapterError and MemoryShortError; those active stay so."""
        wanted = {file.sha256 for file in files}
        for file in files:
            if file.sha256 not in self._resident:
                self._make_room(file, wanted)
                self._resident[file.sha256] = self._read(file)
            self._resident.move_to_end(file.sha256)

    def activate(self, scaled: tuple[Scaled, ...]) -> None:
        """Let exactly these act from the next token on; they were loaded before. Raises AdapterError."""
        wanted = tuple((one.file.sha256, one.scale) for one in scaled)
        if wanted == self._active:
            return
        handles = [self._resident[sha256] for sha256, _ in wanted]
        scales = [scale for _, scale in wanted]
        count = len(handles)
        if count:
            array = (llama_cpp.llama_adapter_lora_p_ctypes * count)(*handles)
            result = llama_cpp.llama_set_adapters_lora(self._context, array, count, (ctypes.c_float * count)(*scales))
        else:
            result = llama_cpp.llama_set_adapters_lora(self._context, None, 0, None)
        if result:
            raise AdapterError(
                f"llama.cpp could not switch the adapter on{reason(self._log)}", "run `medpocket experts verify`"
            )
        self._active = wanted
        self.switches += 1

    def close(self) -> None:
        """Free all of them; none may be active in a context that goes on."""
        for sha256 in list(self._resident):
            self._drop(sha256)

    def _make_room(self, file: AdapterFile, wanted: set[str]) -> None:
        needed = file.size_bytes + MARGIN_BYTES
        active = {sha256 for sha256, _ in self._active}
        idle = [sha256 for sha256 in self._resident if sha256 not in wanted | active]
        while self._available_bytes() < needed:
            if not idle:
                raise MemoryShortError(
                    f"the adapter {printable(file.path.name)} needs {file.size_bytes / 1e6:,.0f} MB of memory and "
                    f"{self._available_bytes() / 1e6:,.0f} MB is free",
                    "close other programs, or ask without an expert (--no-route)",
                )
            self._drop(idle.pop(0))

    def _read(self, file: AdapterFile) -> int:
        handle = llama_cpp.llama_adapter_lora_init(self._model, str(file.path).encode())
        if not handle:  # a null pointer is an object, and not None
            raise AdapterError(
                f"llama.cpp cannot load the adapter {printable(file.path.name)}{reason(self._log)}",
                "run `medpocket experts verify`; add it again if it is damaged",
            )
        return handle  # type: ignore[no-any-return]

    def _drop(self, sha256: str) -> None:
        llama_cpp.llama_adapter_lora_free(self._resident.pop(sha256))
