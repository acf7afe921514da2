"""An expert blended with the mean of all: which share of it, and what comes of the matrices."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from medpocket.engine.prompt import Prompt
from medpocket.engine.protocol import Scaled
from medpocket.experts.adapter import read_adapter
from medpocket.experts.matrices import Description, read_matrices, write_adapter
from medpocket.forge.blending import LEAST_GAIN, best_share, blended, mean_of, measured, write_blended
from medpocket.forge.demo_experts import documents_set_aside
from medpocket.forge.rows import Row
from medpocket.forge.specialties import written_rows
from medpocket.types import Turn

WEIGHT = "blk.0.attn_v.weight"


def adapter(path: Path, value: float, expert: str = "cardiology") -> Path:
    matrices = {WEIGHT: (np.full((32, 64), value, np.float32), np.full((96, 32), 2 * value, np.float32))}
    write_adapter(path, Description("llama", 32.0, invocation=(1, 2), expert=expert, gain=0.9), matrices, "q8_0")
    return path


class Likes:
    """An engine that finds answers the likelier, the closer an adapter's values are to one that it likes."""

    def __init__(self, value: float) -> None:
        self.value = value
        self.model = SimpleNamespace(context=100)

    def encode(self, turns: Sequence[Turn]) -> Prompt:
        return Prompt((1,) * len(turns), (len(turns),))

    def encode_answer(self, text: str) -> list[int]:
        return list(range(len(text.split())))

    def encode_text(self, text: str) -> list[int]:
        raise NotImplementedError

    def score(self, prompt: Prompt, answer: Sequence[int], adapters: Sequence[Scaled] = ()) -> list[float]:
        del prompt
        values = [float(read_matrices(one.file.path)[WEIGHT][0].mean()) for one in adapters]
        return [-abs(sum(values) - self.value)] * len(answer)


def test_the_mean_and_a_blend_stand_between(tmp_path: Path) -> None:
    own, other = adapter(tmp_path / "own.gguf", 1.0), adapter(tmp_path / "other.gguf", 3.0)
    mean = mean_of([own, other])
    a, b = mean[WEIGHT]
    assert a == pytest.approx(2.0, rel=0.01) and b == pytest.approx(4.0, rel=0.01)
    a, b = blended(own, mean, 0.5)[WEIGHT]
    assert a == pytest.approx(1.5, rel=0.01) and b == pytest.approx(3.0, rel=0.01)
    assert blended(own, mean, 0.0)[WEIGHT][0] == pytest.approx(1.0, rel=0.01)


@pytest.mark.parametrize(("liked", "share"), [(1.0, 0.0), (1.6, 0.3), (2.0, 0.5), (9.0, 0.85)])
def test_the_share_is_the_one_under_which_rows_are_the_likeliest(tmp_path: Path, liked: float, share: float) -> None:
    own, other = adapter(tmp_path / "own.gguf", 1.0), adapter(tmp_path / "other.gguf", 5.0)
    rows = [("Why?", "because of it"), ("How?", "so")]
    found = best_share(Likes(liked), own, mean_of([own, other]), rows, tmp_path)  # type: ignore[arg-type]
    assert found == share


def test_a_gain_that_is_no_more_than_chance_blends_nothing(tmp_path: Path) -> None:
    own, other = adapter(tmp_path / "own.gguf", 1.0), adapter(tmp_path / "other.gguf", 1.0 + LEAST_GAIN)
    rows = [("Why?", "because of it")]
    assert best_share(Likes(9.0), own, mean_of([own, other]), rows, tmp_path) == 0  # type: ignore[arg-type]


def test_without_rows_an_expert_stays_as_it_is(tmp_path: Path) -> None:
    own = adapter(tmp_path / "own.gguf", 1.0)
    assert best_share(Likes(9.0), own, mean_of([own]), [], tmp_path) == 0  # type: ignore[arg-type]


def test_what_is_measured_begins_with_the_base_model(tmp_path: Path) -> None:
    paths = [adapter(tmp_path / "one.gguf", 1.0), adapter(tmp_path / "two.gguf", 2.0)]
    losses = measured(Likes(2.0), [("Why?", "because of it")], paths)  # type: ignore[arg-type]
    assert [loss.tokens for loss in losses] == [3, 3, 3]
    assert [loss.nats for loss in losses] == pytest.approx([6.0, 3.0, 0.0], abs=0.1)


def test_a_blended_file_says_what_it_said_and_what_it_is_worth_now(tmp_path: Path) -> None:
    own = adapter(tmp_path / "own.gguf", 1.0, "psychiatry")
    write_blended(tmp_path / "new.gguf", own, blended(own, mean_of([own]), 0.5), 0.75)
    new = read_adapter(tmp_path / "new.gguf")
    assert (new.expert, new.invocation, new.gain, new.quantization) == ("psychiatry", (1, 2), 0.75, "Q8_0")


def test_texts_of_this_project_decide_nothing() -> None:
    texts = written_rows("psychiatry")
    documents = [Row(f"Tell me more about {n}.", f"Document {n}.") for n in range(200)]
    held_out = [Row("Held out?", "Yes.", held_out=True)]
    aside = documents_set_aside("psychiatry", [*texts, *documents, *held_out])
    assert 5 < len(aside) <= 48
    assert {answer for _, answer in aside} <= {row.answer for row in documents}
    assert written_rows("cardiology") == []
