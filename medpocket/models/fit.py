"""Whether and how a model runs on this machine: layers on a graphics processor, context, threads, mapping, repack.

A model's layers are counted one by one. What a graphics processor holds is its last layers with their keys and values,
and the output first of all, as llama.cpp hands them out (`n_gpu_layers`, llama-model.cpp 0c1e57098).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from medpocket.errors import MemoryShortError
from medpocket.models.accelerators import Accelerator
from medpocket.models.gguf_kinds import shown
from medpocket.models.hardware import Machine
from medpocket.models.memory import BATCH, KV_TYPE, SMALLEST_CONTEXT, MemoryNeed, gigabytes, memory_need
from medpocket.models.shape import F32_BYTES, LayerShape, ModelShape, type_bytes

# Left free on a device, for its driver and what llama.cpp keeps there beside the layers: a guess on the safe side,
# since no graphics processor was at hand to measure it.
DEVICE_MARGIN_BYTES = 512 * 10**6


@dataclass(frozen=True)
class Fit:
    """How a model would run here. `reasons` says why, a sentence for each choice.

    `context` is the one asked for, `largest_context` the most that fits, at most that one; 0 where nothing does.
    `device_bytes` is what `gpu_layers` take on `device`; the layers' number counts the output as one.
    `mapped` is whether the file is mapped into memory; `repacked` whether llama.cpp rearranges the weights.
    """

    need: MemoryNeed
    available_bytes: int
    host_bytes: int
    context: int
    largest_context: int
    threads: int
    gpu_layers: int = 0
    device: Accelerator | None = None
    device_bytes: int = 0
    mapped: bool = True
    repacked: bool = False
    reasons: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        return self.host_bytes <= self.available_bytes

    @property
    def total_bytes(self) -> int:
        """Bytes on the machine and on the device together."""
        return self.host_bytes + self.device_bytes


def fit_model(
    shape: ModelShape,
    machine: Machine,
    accelerators: Sequence[Accelerator] = (),
    *,
    context: int,
    batch: int = BATCH,
    kv_type: str = KV_TYPE,
    adapter_bytes: int = 0,
    repack: bool = False,
    gpu_layers: int | None = None,
) -> Fit:
    """Choose how the model runs with so many tokens of context; `gpu_layers` leaves no choice of that number.

    Adapters are counted in the machine's own memory.
    """
    need = memory_need(shape, context, batch=batch, kv_type=kv_type, adapter_bytes=adapter_bytes)
    available = machine.memory.available_bytes
    device = max(accelerators, key=lambda one: one.free_bytes, default=None)
    layers = 0
    if device and gpu_layers is None:
        layers = _layers_for(device, shape, need, available, kv_type)
    elif device and gpu_layers:
        layers = min(gpu_layers, len(shape.layers) + 1)
    host = need.total - _moved(shape, need, layers, kv_type)
    return Fit(
        need=need,
        available_bytes=available,
        host_bytes=host,
        context=context,
        largest_context=_largest_context(need, host, available),
        threads=machine.default_threads(),
        gpu_layers=layers,
        device=device if layers else None,
        device_bytes=_taken(shape, need, layers, kv_type),
        mapped=not repack,
        repacked=repack,
        reasons=(
            _why_layers(device, layers, len(shape.layers) + 1),
            _why_threads(machine),
            _why_mapped(need, repack=repack),
        ),
    )


def layer_bytes(layer: LayerShape, need: MemoryNeed, kv_type: str = KV_TYPE) -> int:
    """Bytes of one layer: its weights, and the keys and values of the whole context."""
    tokens = need.kv // need.kv_per_token if need.kv_per_token else 0
    return layer.weights + type_bytes(kv_type, layer.kv_elements) * tokens


def _layers_for(device: Accelerator, shape: ModelShape, need: MemoryNeed, available: int, kv_type: str) -> int:
    """The most layers for which there is memory on both sides."""
    for layers in range(len(shape.layers) + 1, 0, -1):
        taken = _taken(shape, need, layers, kv_type)
        if taken + DEVICE_MARGIN_BYTES > device.free_bytes:
            continue
        if not device.shares_memory or need.total - _moved(shape, need, layers, kv_type) + taken <= available:
            return layers
    return 0


def _taken(shape: ModelShape, need: MemoryNeed, layers: int, kv_type: str) -> int:
    """Bytes that so many layers take on a device."""
    if not layers:
        return 0
    # Tied embeddings stay where a token's row is looked up, and are on the device once more as the output.
    copied = shape.input_bytes if shape.tied else 0
    return _moved(shape, need, layers, kv_type) + copied + _device_buffers(shape, need)


def _moved(shape: ModelShape, need: MemoryNeed, layers: int, kv_type: str) -> int:
    """Bytes that leave the machine's own memory with so many layers: the output's, then the last ones'."""
    if not layers:
        return 0
    last = shape.layers[len(shape.layers) - (layers - 1) :]
    return shape.output.weights + sum(layer_bytes(layer, need, kv_type) for layer in last)


def _device_buffers(shape: ModelShape, need: MemoryNeed) -> int:
    """On a device what is reserved is taken: the logits of a whole batch too, where they are the largest."""
    batch = min(BATCH, need.context)
    return max(need.computing, batch * F32_BYTES * (shape.vocabulary + 2 * shape.embedding))


def _largest_context(need: MemoryNeed, host: int, available: int) -> int:
    """The context that fits with the layers where they are."""
    return need.largest_context(available + need.total - host)


def _why_layers(device: Accelerator | None, layers: int, all_layers: int) -> str:
    if device is None:
        return "all layers on the processor: llama.cpp sees no graphics processor"
    if not layers:
        return f"all layers on the processor: {gigabytes(device.free_bytes)} free on {device.description} hold none"
    return (
        f"{layers} of {all_layers} layers on {device.description}, which has {gigabytes(device.free_bytes)} free "
        "(untested by this project)"
    )


def _why_threads(machine: Machine) -> str:
    threads = machine.default_threads()
    if machine.usable_cores < (machine.performance_cores or machine.physical_cores):
        return f"{threads} threads: this process may use no more cores"
    if machine.performance_cores:
        return f"{threads} threads: one for each fast core, since all would wait for a slow one"
    return f"{threads} threads: one for each core"


def _why_mapped(need: MemoryNeed, *, repack: bool) -> str:
    if repack:
        return f"repacked, not mapped: {gigabytes(need.weights)} of weights are this process's own"
    return f"mapped, not repacked: {gigabytes(need.weights)} of weights are shared, and there at once"


def memory_short(fit: Fit, smaller: str | None = None) -> MemoryShortError:
    """Return the error for a model that does not fit, with the numbers.

    The hint names the largest context that would fit; where none does, `smaller`, the caller's smaller choice.
    """
    need = fit.need
    message = (
        f"the model needs {gigabytes(fit.host_bytes)} of memory ({gigabytes(need.weights)} weights, "
        f"{gigabytes(need.kv + need.state)} for {need.context:,} tokens of context) "
        f"and {gigabytes(fit.available_bytes)} is free"
    )
    if fit.largest_context >= SMALLEST_CONTEXT:
        hint = f"a smaller context fits: -o context {fit.largest_context}"
    elif smaller:
        hint = shown(smaller, 200)
    else:
        hint = "close other programs, or choose a smaller model"
    return MemoryShortError(message, f"{hint}; --force loads it all the same")
