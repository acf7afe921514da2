"""Load a model to measure it, with the user's settings."""

from typing import TYPE_CHECKING

from medpocket.config import LARGEST_CONTEXT_UNASKED, Settings
from medpocket.models.locate import LocatedModel
from medpocket.registry import Registry

if TYPE_CHECKING:
    from medpocket.engine.llama import LlamaEngine


def load(
    located: LocatedModel, registry: Registry, settings: Settings, *, for_scoring: bool = False, force: bool = False
) -> "LlamaEngine":
    """Load what was located. Raises what load_engine raises."""
    from medpocket.engine import load_engine

    spec = located.spec
    return load_engine(
        located.path,
        name=spec.title if spec else None,
        most_context=settings.context or LARGEST_CONTEXT_UNASKED,
        trained_context=spec.trained_context if spec else None,
        threads=settings.threads,
        template=registry.prompts[spec.prompt] if spec else None,
        batch=settings.batch,
        gpu_layers=settings.gpu_layers,
        repack=settings.repack,
        for_scoring=for_scoring,
        log_level=settings.log_level,
        force=force,
    )
