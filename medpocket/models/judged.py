"""A model of the registry, judged for this machine: memory, whether it fits, speed. No file is needed for it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from medpocket.config import LARGEST_CONTEXT_UNASKED
from medpocket.errors import MedpocketError
from medpocket.models.accelerators import Accelerator
from medpocket.models.fit import Fit, fit_model
from medpocket.models.gguf_reader import read_gguf
from medpocket.models.hardware import Machine
from medpocket.models.known_shapes import known_shape
from medpocket.models.locate import installed_file
from medpocket.models.shape import ModelShape, shape_of
from medpocket.models.speed import MachineRates, Speed, expected_speed
from medpocket.registry import ModelSpec


@dataclass(frozen=True)
class Judged:
    """What running the model here would mean.

    `memory_bytes` is None where nothing is known of its size; `fit` where its shape is not. `speed` is the
    processor's, and None where layers would run on a graphics processor, since nobody measured that.
    """

    spec: ModelSpec
    installed: bool
    shape: ModelShape | None
    fit: Fit | None
    memory_bytes: int | None
    fits: bool
    speed: Speed | None

    @property
    def estimated(self) -> bool:
        """Whether it was judged without its file."""
        return self.shape is None or self.shape.estimated


def shape_here(spec: ModelSpec) -> ModelShape | None:
    """The shape out of the model's file where it is installed, else what is known of its architecture."""
    path = installed_file(spec)
    if path is not None:
        try:
            return shape_of(read_gguf(path))
        except MedpocketError:  # damaged: said by what checks files, and judged without it here
            pass
    return known_shape(spec)


def tensor_types(shapes: Iterable[ModelShape | None]) -> list[str]:
    """The tensor types whose rates are needed to tell the speed of these models."""
    return sorted({kind for shape in shapes if shape for kind in shape.matrices})


def judge(
    spec: ModelSpec,
    shape: ModelShape | None,
    machine: Machine,
    accelerators: Sequence[Accelerator] = (),
    rates: MachineRates | None = None,
) -> Judged:
    """Judge the model with the context that it gets unasked."""
    available = machine.memory.available_bytes
    fit = None
    memory = round(spec.memory_gb_estimate * 1e9) if spec.memory_gb_estimate else None
    fits = memory is not None and memory <= available
    if shape:
        context = min(spec.trained_context, LARGEST_CONTEXT_UNASKED)
        fit = fit_model(shape, machine, accelerators, context=context)
        memory, fits = fit.total_bytes, fit.fits
    on_processor = fit is not None and not fit.gpu_layers
    return Judged(
        spec=spec,
        installed=installed_file(spec) is not None,
        shape=shape,
        fit=fit,
        memory_bytes=memory,
        fits=fits and spec.runs_here,
        speed=expected_speed(shape, rates) if shape and rates and on_processor else None,
    )
