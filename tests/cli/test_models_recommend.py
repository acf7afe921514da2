import json
from pathlib import Path

from medpocket.models.recommend import USES
from medpocket.registry import load_registry
from tests.conftest import Medpocket, check_error


def test_every_system_and_every_use_is_answered(medpocket: Medpocket) -> None:
    result = medpocket("models", "recommend", "--json")
    assert result.returncode == 0, result.stderr
    data = json.loads(result.stdout)["data"]
    clinical = [spec.id for spec in load_registry().models.values() if not spec.demonstration]
    assert [one["id"] for one in data["systems"]] == clinical
    assert [one["use"] for one in data["uses"]] == list(USES)
    for one in data["systems"]:
        assert one["licence"]
        assert one["estimated"] and not one["installed"]
        if one["runs_here"]:
            assert one["memory_bytes"] > 10**9
            assert one["fits"] == (one["memory_bytes"] <= data["memory_available"])
            assert one["prefill_tokens_s"] > 0 and one["decode_tokens_s"] >= 0
        if one["accuracy"]:
            assert one["accuracy"]["source"]
    assert all(one["reason"] for one in data["uses"])


def test_one_use_has_its_pick_with_the_reason(medpocket: Medpocket) -> None:
    page = medpocket("models", "recommend", "--use", "edge").stdout.decode()
    assert "mobile or edge deployment" in page and "research" not in page
    assert "BioMistral's authors advise against professional medical use." in page
    assert "\x1b" not in page


def test_what_is_measured_is_kept_in_the_cache(medpocket: Medpocket, home: Path) -> None:
    data = json.loads(medpocket("models", "recommend", "--json").stdout)["data"]
    assert (home / "cache" / "rates.json").exists() != data["measured_while_busy"]


def test_an_unknown_use_is_wrong_usage(medpocket: Medpocket) -> None:
    check_error(medpocket("models", "recommend", "--use", "surgery"), 2, "surgery")
