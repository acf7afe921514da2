"""Put models.toml and assets/ inside the package in a wheel.

An editable installation finds them beside it (medpocket/paths.py); a copy of its own would go stale.
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ResourcesHook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "standard":
            build_data["force_include"] |= {"models.toml": "medpocket/models.toml", "assets": "medpocket/assets"}
