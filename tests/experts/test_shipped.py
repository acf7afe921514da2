"""The demonstration experts that come with MedPocket."""

import pytest

from medpocket import paths
from medpocket.experts.adapter import check_belongs
from medpocket.experts.library import Entry, Library
from medpocket.models.gguf_check import check_model_file
from medpocket.registry import GENERAL, load_registry
from tests.conftest import DEMO, Medpocket

MOST_BYTES = 12_000_000
EXPERTS = [name for name in load_registry().experts if name != GENERAL]


def shipped() -> dict[str, Entry]:
    return {entry.record.expert: entry for entry in Library().entries() if entry.shipped}


def test_every_specialty_has_an_adapter_and_all_together_are_small() -> None:
    entries = shipped()
    assert list(entries) == EXPERTS
    assert sum(entry.path.stat().st_size for entry in entries.values()) <= MOST_BYTES
    recorded = {entry.path.name for entry in entries.values()} | {"experts.json"}
    assert {path.name for path in (paths.assets_folder() / "experts").iterdir()} == recorded


@pytest.mark.parametrize("expert", EXPERTS)
def test_an_adapter_is_for_the_demonstration_model_and_says_what_it_is(expert: str) -> None:
    adapter = shipped()[expert].load()
    check_belongs(adapter, check_model_file(DEMO))
    assert adapter.expert == expert
    assert adapter.fingerprint
    assert adapter.invocation
    assert (adapter.rank, adapter.quantization) == (32, "Q8_0")
    assert adapter.licence == "Apache-2.0"
    assert "MedQuAD" in (adapter.training_data or "")


@pytest.mark.parametrize("expert", EXPERTS)
def test_an_adapter_does_better_than_its_base_on_its_own_specialty(expert: str) -> None:
    record = shipped()[expert].record
    assert record.gain is not None
    assert record.gain <= 0.95


def test_asking_an_expert_of_the_demonstration_model_switches_its_adapter_on(medpocket: Medpocket) -> None:
    asked = ("ask", "-m", "demo", "--plain", "-o", "temperature", "0", "-o", "max_tokens", "24", "What is a stroke?")
    expert, none = medpocket(*asked, "-e", "neurology"), medpocket(*asked, "--no-route")
    assert expert.returncode == none.returncode == 0
    assert expert.stdout != none.stdout
