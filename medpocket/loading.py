"""From a model's file to an assistant that answers with it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from medpocket.assistant import Assistant
from medpocket.config import LARGEST_CONTEXT_UNASKED, Settings
from medpocket.engine.protocol import Engine, LoadedModel
from medpocket.experts.active import ActiveExperts
from medpocket.experts.library import Library
from medpocket.models.given_files import sha256_of_given
from medpocket.models.locate import LocatedModel, smaller_choice
from medpocket.registry import Registry
from medpocket.store.records import AnsweredBy
from medpocket.types import Sampling

if TYPE_CHECKING:
    from medpocket.engine.llama import LlamaEngine


def load_located(
    located: LocatedModel,
    registry: Registry,
    settings: Settings,
    *,
    context: int | None = None,
    for_scoring: bool = False,
    force: bool = False,
    progress: Callable[[float], None] | None = None,
) -> "LlamaEngine":
    """Load the model as its row and the settings say; `context` asks for so many tokens, or none at all.

    `for_scoring` makes a context in which many answers are scored at once. `progress` is told the share that is loaded.

    Raises what `load_engine` raises.
    """
    from medpocket.engine import load_engine

    spec = located.spec
    return load_engine(
        located.path,
        name=spec.title if spec else None,
        context=context,
        most_context=settings.context or LARGEST_CONTEXT_UNASKED,
        trained_context=spec.trained_context if spec else None,
        threads=settings.threads,
        template=registry.prompts[spec.prompt] if spec else None,
        batch=settings.batch,
        gpu_layers=settings.gpu_layers,
        repack=settings.repack,
        for_scoring=for_scoring,
        log_level=settings.log_level,
        smaller=lambda available: smaller_choice(registry, available),
        force=force,
        progress=progress,
    )


def answered_by(located: LocatedModel, model: LoadedModel) -> AnsweredBy:
    """Return what the history keeps of the model of an answer.

    A file that was given by its path is read whole the first time, to hash it: for 4 GB that takes seconds.
    """
    sha256 = located.sha256 or sha256_of_given(located.path)
    return AnsweredBy(model.name, model.quantization, model.fingerprint, sha256, model.demonstration)


def assistant_on(engine: Engine, registry: Registry, sampling: Sampling) -> Assistant:
    """Return an assistant with the experts that are installed for the engine's model, and the router."""
    from medpocket.router.route import load_router

    return Assistant(registry, engine, sampling, ActiveExperts(Library(), engine.model.fingerprint), load_router)
