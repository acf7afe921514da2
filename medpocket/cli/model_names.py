"""Complete the names of models: ids of the registry, and what is installed under names of its own."""

from typing import Any

import click


def complete_name(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[Any]:
    """Complete the name of a model."""
    from medpocket.models.installed import installed_models
    from medpocket.registry import load_registry

    names = [*load_registry().models, *(entry.record.name for entry in installed_models())]
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]
