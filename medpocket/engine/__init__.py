"""Running a model: the only room that imports llama_cpp, and only when a model is loaded."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from medpocket.config import LARGEST_CONTEXT_UNASKED
from medpocket.engine.protocol import Engine, LoadedModel

if TYPE_CHECKING:
    from medpocket.engine.llama import LlamaEngine
    from medpocket.engine.vocabulary import Vocabulary
    from medpocket.models.accelerators import Accelerator
    from medpocket.models.hardware import Machine

__all__ = ["Engine", "LoadedModel", "accelerators_if_known", "accelerators_of", "load_engine", "load_vocabulary"]

MOST_CONTEXT = 2**20  # tokens, where neither the registry nor the file says what the model was trained for

# For a file without a template, and without a row of the registry that names one: the text and nothing around it.
_PLAIN = (
    "{{ bos_token }}{% for message in messages %}{{ message['content'] }}"
    "{% if not loop.last %}{{ '\\n' }}{% endif %}{% endfor %}"
)


def load_engine(
    path: Path,
    *,
    name: str | None = None,
    context: int | None = None,
    most_context: int = LARGEST_CONTEXT_UNASKED,
    trained_context: int | None = None,
    threads: int | None = None,
    template: str | None = None,
    batch: int = 512,
    gpu_layers: int | None = None,
    repack: bool = False,
    for_scoring: bool = False,
    log_level: str = "warning",
    smaller: Callable[[int], str] | None = None,
    try_first: bool = True,
    force: bool = False,
    progress: Callable[[float], None] | None = None,
) -> "LlamaEngine":
    """Check the file, see that it fits into memory, and load it.

    Contexts are in tokens. `context` None means what the model was trained for, up to `most_context`.
    `trained_context` corrects a file that claims more. `gpu_layers` None means as many as fit (models/fit.py).
    `template` is used where the file has none. `for_scoring` makes a context in which `score_choices` works.
    `smaller` names, for the bytes of memory that are free, what to take in the place of a model that does not fit.
    `try_first` has a model of an uncommon architecture run in a process of its own before (trial.py). `force` loads it
    even where memory looks short: the system may then read the weights from the disk again for every token, or end
    the process. `progress` is told the share of the weights that are in memory.

    Raises ModelFileError, MemoryShortError, OptionError (context) and EngineError.
    """
    from medpocket.errors import OptionError
    from medpocket.models.fit import fit_model, memory_short
    from medpocket.models.gguf_architectures import FAMILIES
    from medpocket.models.gguf_check import check_model_file
    from medpocket.models.hardware import describe_machine
    from medpocket.models.shape import shape_of

    file = check_model_file(path)
    trained = min(length for length in (trained_context, file.trained_context, MOST_CONTEXT) if length)
    if context is not None and context > trained:
        raise OptionError(
            f"a context of {context:,} tokens is more than this model was trained for ({trained:,})",
            f"give -o context {trained} or less",
        )
    context = context or min(trained, most_context)
    machine = describe_machine()
    fit = fit_model(
        shape_of(file),
        machine,
        accelerators_of(machine) if gpu_layers != 0 else (),
        context=context,
        batch=batch,
        repack=repack,
        gpu_layers=gpu_layers,
    )
    if not fit.fits and not force:
        raise memory_short(fit, smaller(fit.available_bytes) if smaller else None)

    if try_first and file.architecture not in FAMILIES:
        from medpocket.engine.trial import try_model

        try_model(path)

    from medpocket.engine.llama import LlamaEngine
    from medpocket.engine.logs import start_log

    return LlamaEngine(
        file,
        name=name or file.name or path.stem,
        context=context,
        trained_context=trained,
        threads=threads or fit.threads,
        template=file.chat_template or template or _PLAIN,
        has_template=bool(file.chat_template or template),
        log=start_log(log_level),
        batch=batch,
        gpu_layers=fit.gpu_layers,
        repack=fit.repacked,
        mapped=fit.mapped,
        for_scoring=for_scoring,
        progress=progress,
    )


def accelerators_of(machine: "Machine") -> "tuple[Accelerator, ...]":
    """Return the graphics processors of this machine. Raises what comes where llama.cpp cannot be loaded."""
    from medpocket.engine.devices import accelerators

    return accelerators(jetson=machine.jetson is not None)


def accelerators_if_known(machine: "Machine") -> "tuple[Accelerator, ...]":
    """Return the graphics processors of this machine; none where llama.cpp cannot be asked."""
    from medpocket.errors import EngineError

    try:
        return accelerators_of(machine)
    except (EngineError, ImportError, OSError, RuntimeError, AttributeError):
        return ()


def load_vocabulary(path: Path, *, template: str | None = None) -> "Vocabulary":
    """Load only the tokenizer of a model file, which stays in memory for the life of the process.

    `template` is used where the file has none. Raises ModelFileError and EngineError.
    """
    from medpocket.engine.calls import load_model
    from medpocket.engine.logs import start_log
    from medpocket.engine.vocabulary import Vocabulary
    from medpocket.models.gguf_reader import read_gguf

    file = read_gguf(path)
    model = load_model(path, start_log("warning"), vocabulary_only=True)
    space_prefix = bool(file.metadata.get("tokenizer.ggml.add_space_prefix", True))
    return Vocabulary(model, file.chat_template or template or _PLAIN, space_prefix=space_prefix)
