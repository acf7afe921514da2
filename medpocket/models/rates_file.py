"""The rates that were measured on this machine, kept in the cache folder until processor or llama.cpp change."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from math import isfinite
from typing import Any

from medpocket.models import cache_file
from medpocket.models.hardware import Machine
from medpocket.models.speed import MachineRates, Rates

FILE_NAME = "rates.json"
PROBE_VERSION = 1  # of what is measured, and how


def rates_key(machine: Machine) -> dict[str, Any]:
    """What rates depend on."""
    try:
        llama = version("llama-cpp-python")
    except PackageNotFoundError:
        llama = ""
    return {
        "cpu": machine.cpu_model,
        "features": list(machine.cpu_features),
        "threads": machine.default_threads(),
        "llama_cpp": llama,
        "probe": PROBE_VERSION,
    }


def read_rates(machine: Machine) -> MachineRates | None:
    """The rates of this machine; None where none were measured, or the file makes no sense."""
    try:
        content = cache_file.read(FILE_NAME)
        if content["key"] != rates_key(machine):
            return None
        matrices = {str(name): _rates(one) for name, one in content["matrices"].items()}
        return MachineRates(machine.default_threads(), matrices, _rates(content["attention"]))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def write_rates(machine: Machine, rates: MachineRates) -> None:
    """Keep the rates; where the cache cannot be written they are measured again."""
    content = {
        "key": rates_key(machine),
        "matrices": {name: _pair(one) for name, one in rates.matrices.items()},
        "attention": _pair(rates.attention),
    }
    cache_file.write(FILE_NAME, content)


def _pair(rates: Rates) -> Mapping[str, float]:
    return {"single_bytes_s": rates.single_bytes_s, "many_flop_s": rates.many_flop_s}


def _rates(pair: Mapping[str, Any]) -> Rates:
    rates = Rates(float(pair["single_bytes_s"]), float(pair["many_flop_s"]))
    if not (isfinite(rates.single_bytes_s) and isfinite(rates.many_flop_s)):
        raise ValueError("a rate is no number")
    if rates.single_bytes_s <= 0 or rates.many_flop_s <= 0:
        raise ValueError("a rate is not above zero")
    return rates
