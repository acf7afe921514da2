"""How fast llama.cpp's own multiplications are on this machine, measured in well under two seconds.

Matrices of a 7B model's size, of the tensor types in question, are multiplied as llama.cpp does it: with one column,
which is bound by the memory's bandwidth and is what writing an answer costs, and with many, which is bound by the
processor and is what reading a prompt costs. Then the same for attention.
"""

import ctypes
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from medpocket.engine.ggml import ContextParameters, function
from medpocket.engine.logs import start_log
from medpocket.engine.start import start_llama
from medpocket.errors import EngineError
from medpocket.models.gguf_file import TENSOR_TYPES
from medpocket.models.hardware import Machine, busy_share
from medpocket.models.rates_file import read_rates, write_rates
from medpocket.models.speed import F16_BYTES, FLOP_PER_ELEMENT, MachineRates, Rates

# Those of Mistral-7B, in elements.
_EMBEDDING, _FEED_FORWARD = 4096, 14336
_HEADS, _KV_HEADS, _HEAD = 32, 8, 128
_MANY = 512  # columns: the tokens of a batch
_ROWS = 1024  # of the matrix that is multiplied with many columns
_DEPTH = 512  # keys and values that attention looks at
_WEIGHTS_BYTES = 256 * 2**20  # more than caches hold
_KEYS_BYTES = 64 * 2**20
_NUMBERS_BYTES = 48 * 2**20  # for what is no weight: columns and results
_LEAST_ROUNDS, _ENOUGH_S, _TOO_LONG_S = 2, 0.8, 1.6
_BUSY_SHARE = 0.2
_CPU = 0  # GGML_BACKEND_DEVICE_TYPE_CPU
_F32, _F16 = 0, 1
# In every byte: numbers that are small and not denormal, whether they are read as F32, F16, BF16 or a block's scale.
_WEIGHT_BYTE, _NUMBER_BYTE = 0x11, 0x3C
_TYPE_NUMBERS = {name: number for number, (name, _, _) in TENSOR_TYPES.items()}
# llama.cpp ends the process on a matrix of a type that it cannot multiply; these are what models are made of.
MEASURED_TYPES = frozenset(
    "F32 F16 BF16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL IQ4_XS".split()  # noqa: SIM905
)


def machine_rates(types: Iterable[str], machine: Machine, *, anew: bool = False) -> MachineRates:
    """The rates of these tensor types here: those that were measured before, and the missing ones measured now.

    Types that are not of MEASURED_TYPES have none. What is measured on a busy machine is not kept. Raises EngineError.
    """
    known = None if anew else read_rates(machine)
    missing = [name for name in types if name in MEASURED_TYPES and (known is None or name not in known.matrices)]
    if known and not missing:
        return known
    busy = busy_share() > _BUSY_SHARE
    measured = measure_rates(missing, machine.default_threads())
    matrices = {**(known.matrices if known else {}), **measured.matrices}
    rates = replace(measured, matrices=matrices, busy=busy)
    if not busy:
        write_rates(machine, rates)
    return rates


def measure_rates(types: Iterable[str], threads: int) -> MachineRates:
    """Measure the rates of these tensor types and of attention. Raises EngineError where llama.cpp does not help."""
    bench = _Bench(threads)
    try:
        matrices = {name: bench.matrix_tasks(_TYPE_NUMBERS[name]) for name in types}
        attention = bench.attention_tasks()
        bench.run()
        return MachineRates(threads, {name: _rates(tasks) for name, tasks in matrices.items()}, _rates(attention))
    finally:
        bench.close()


def _rates(tasks: "tuple[_Task, _Task]") -> Rates:
    single, many = tasks
    return Rates(single.amount / single.best_s, many.amount / many.best_s)


@dataclass(frozen=True)
class _Sizes:
    """A tensor: its type and its three lengths."""

    kind: int
    row: int
    rows: int
    planes: int = 1


class _Bench:
    """llama.cpp's processor backend, with one block of memory for weights and one for everything else."""

    def __init__(self, threads: int) -> None:
        start_log("warning")
        start_llama()
        self._buffers: list[Any] = []
        self._tasks: list[_Task] = []
        device = function("ggml_backend_dev_by_type")(_CPU)
        self._backend = function("ggml_backend_dev_init")(device, None) if device else None
        if not self._backend:
            raise EngineError("llama.cpp has no code for this processor", "install MedPocket again on this machine")
        self._set_threads(device, threads)
        try:
            self._weights = self._block(_WEIGHTS_BYTES, _WEIGHT_BYTE)
            self._numbers = self._block(_NUMBERS_BYTES, _NUMBER_BYTE)
        except EngineError:
            self.close()
            raise

    def matrix_tasks(self, kind: int) -> "tuple[_Task, _Task]":
        """Multiply matrices of this type with one column, then with many."""
        large = _Sizes(kind, _EMBEDDING, _FEED_FORWARD)

        def one_column(graph: "_Graph") -> int:
            column = graph.tensor(_Sizes(_F32, _EMBEDDING, 1))
            while (matrix := graph.tensor(large, weights=True)) is not None:
                graph.compute(function("ggml_mul_mat")(graph.context, matrix, column))
            return graph.weights_used

        def many_columns(graph: "_Graph") -> int:
            columns = graph.tensor(_Sizes(_F32, _EMBEDDING, _MANY))
            matrix = graph.tensor(_Sizes(kind, _EMBEDDING, _ROWS), weights=True)
            graph.compute(function("ggml_mul_mat")(graph.context, matrix, columns))
            return FLOP_PER_ELEMENT * _EMBEDDING * _ROWS * _MANY

        return self._task(one_column), self._task(many_columns)

    def attention_tasks(self) -> "tuple[_Task, _Task]":
        """Let one token look at many, in many layers; then many tokens at as many."""
        layer_bytes = 2 * _KV_HEADS * _HEAD * _DEPTH * F16_BYTES

        def one_token(graph: "_Graph") -> int:
            for _ in range(_KEYS_BYTES // layer_bytes):
                graph.compute(graph.attention(1))
            return graph.weights_used

        def many_tokens(graph: "_Graph") -> int:
            graph.compute(graph.attention(_MANY))
            return FLOP_PER_ELEMENT * 2 * _HEADS * _HEAD * _MANY * _DEPTH

        return self._task(one_token), self._task(many_tokens)

    def close(self) -> None:
        for task in self._tasks:
            function("ggml_free")(task.graph.context)
        self._tasks.clear()
        for buffer in self._buffers:
            function("ggml_backend_buffer_free")(buffer)
        self._buffers.clear()
        if self._backend:
            function("ggml_backend_free")(self._backend)
            self._backend = None

    def run(self) -> None:
        """Run the tasks in turn, round after round: what disturbs for a moment then spares some run of each."""
        started, spent, rounds = time.perf_counter(), 0.0, 0
        while rounds == 0 or (spent < _TOO_LONG_S and (rounds < _LEAST_ROUNDS or spent < _ENOUGH_S)):
            for task in self._tasks:
                before = time.perf_counter()
                if function("ggml_backend_graph_compute")(self._backend, task.graph.graph):
                    raise EngineError("llama.cpp could not compute on this processor", "run `medpocket doctor`")
                task.best_s = min(task.best_s, time.perf_counter() - before)
            spent, rounds = time.perf_counter() - started, rounds + 1

    def _task(self, build: "Callable[[_Graph], int]") -> "_Task":
        graph = _Graph(self._weights, self._numbers)
        task = _Task(graph, 0)
        self._tasks.append(task)
        task.amount = build(graph)
        return task

    def _set_threads(self, device: int, threads: int) -> None:
        registry = function("ggml_backend_dev_backend_reg")(device)
        address = function("ggml_backend_reg_get_proc_address")(registry, b"ggml_backend_set_n_threads")
        if address:
            ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int)(address)(self._backend, threads)

    def _block(self, size: int, byte: int) -> "_Block":
        buffer = function("ggml_backend_alloc_buffer")(self._backend, size)
        if not buffer:
            raise EngineError("there is no memory to measure with", "close other programs")
        self._buffers.append(buffer)
        base = function("ggml_backend_buffer_get_base")(buffer)
        ctypes.memset(base, byte, size)
        return _Block(buffer, base, size)


@dataclass(frozen=True)
class _Block:
    buffer: int
    base: int
    size: int


class _Graph:
    """Tensors that lie one behind the other in the two blocks, and what is computed with them."""

    def __init__(self, weights: _Block, numbers: _Block) -> None:
        overhead = ContextParameters(4 * 2**20, None, True)
        self.context = function("ggml_init")(overhead)
        self.graph = function("ggml_new_graph")(self.context)
        self.weights_used = self._numbers_used = 0
        self._weights, self._numbers = weights, numbers

    def tensor(self, sizes: _Sizes, *, weights: bool = False) -> int | None:
        """A tensor of these sizes; None where the block is full."""
        made: int = function("ggml_new_tensor_3d")(self.context, sizes.kind, sizes.row, sizes.rows, sizes.planes)
        return made if self._place(made, weights=weights) else None

    def attention(self, tokens: int) -> int:
        """Attention of so many tokens of a 7B model to `_DEPTH` of them."""
        queries = self.tensor(_Sizes(_F32, _HEAD, tokens, _HEADS))
        keys = self.tensor(_Sizes(_F16, _HEAD, _DEPTH, _KV_HEADS), weights=True)
        values = self.tensor(_Sizes(_F16, _HEAD, _DEPTH, _KV_HEADS), weights=True)
        mask = self.tensor(_Sizes(_F16, _DEPTH, tokens))
        attend: int = function("ggml_flash_attn_ext")(self.context, queries, keys, values, mask, _HEAD**-0.5, 0.0, 0.0)
        return attend

    def compute(self, result: int) -> None:
        """Compute `result` in every run."""
        self._place(result, weights=False)
        function("ggml_build_forward_expand")(self.graph, result)

    def _place(self, tensor: int, *, weights: bool) -> bool:
        block, used = (self._weights, self.weights_used) if weights else (self._numbers, self._numbers_used)
        size = -(-function("ggml_nbytes")(tensor) // 64) * 64
        if used + size > block.size:
            return False
        function("ggml_backend_tensor_alloc")(block.buffer, tensor, block.base + used)
        if weights:
            self.weights_used += size
        else:
            self._numbers_used += size
        return True


@dataclass
class _Task:
    """A graph to compute, the work that it is (bytes or FLOP), and the seconds of its fastest run."""

    graph: _Graph
    amount: int
    best_s: float = float("inf")
