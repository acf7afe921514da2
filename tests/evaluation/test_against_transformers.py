"""Option log likelihoods, beside those of transformers, which reads the same weights from the same file by itself."""

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medpocket.engine import load_engine
from medpocket.evaluation.prompts import choices
from medpocket.evaluation.results import Results, Scored
from medpocket.evaluation.summary import Summary
from medpocket.evaluation.tasks import Question, read_tasks
from tests.conftest import DEMO, Medpocket
from tests.evaluation.float_gguf import write_as_f32
from tests.evaluation.one_thread import one_thread

pytestmark = pytest.mark.prove
QUESTIONS = 500
TOLERANCE = 1e-2
CONTEXT = 512  # of the smaller of both models


class Reference:
    """A model as transformers computes it, in float32."""

    def __init__(self, path: Path) -> None:
        torch = pytest.importorskip("torch", reason="needs torch (the extra `train`)")
        transformers = pytest.importorskip("transformers", reason="needs transformers (the extra `train`)")
        self._torch = torch
        torch.set_num_threads(1)
        self._model: Any = transformers.AutoModelForCausalLM.from_pretrained(
            path.parent, gguf_file=path.name, dtype=torch.float32
        ).eval()

    def log_likelihoods(self, prompt: tuple[int, ...], answers: tuple[tuple[int, ...], ...]) -> list[float]:
        """The ln p of each answer, which is read in a sequence of its own, but for its last token."""
        torch = self._torch
        read = list(dict.fromkeys(answer[:-1] for answer in answers))
        longest = max(map(len, read))
        ids = torch.tensor([[*prompt, *answer, *[0] * (longest - len(answer))] for answer in read])
        with torch.no_grad():  # causal: what stands behind an answer does not change it
            logits = self._model(input_ids=ids, logits_to_keep=longest + 1).logits
        found = torch.log_softmax(logits.double(), dim=-1)
        return [
            sum(float(found[read.index(answer[:-1]), place, token]) for place, token in enumerate(answer))
            for answer in answers
        ]


@pytest.mark.parametrize("model", ["demo", "foreign"])
def test_every_option_is_as_likely_as_transformers_finds_it(
    medpocket: Medpocket, home: Path, shared: Path, tmp_path: Path, model: str
) -> None:
    one_thread(home)
    path = write_as_f32(DEMO, tmp_path / "demo.gguf") if model == "demo" else shared / "models/stories260k-f32.gguf"
    reference = Reference(path)
    engine = load_engine(path, threads=1)
    tasks, questions = some_questions(shared, tmp_path / "tasks.jsonl")
    db = tmp_path / "results.sqlite"
    result = medpocket("eval", "run", str(path), "--tasks", str(tasks), "--results", str(db), timeout=280)
    assert result.returncode == 0, result.stderr

    with Results(db) as results:
        [run] = results.runs()
        scored = {row.id: row for row in results.scored(run)}
    assert len(scored) == run.setup.questions == QUESTIONS
    worst, expected = 0.0, []
    for question in questions:
        letter, answer = choices(engine, question, (), "")
        letters = reference.log_likelihoods(letter.prompt.ids, letter.answers)
        answers = reference.log_likelihoods(answer.prompt.ids, answer.answers)
        row = scored[question.id]
        worst = max(worst, *np.abs(np.subtract(row.letters, letters)), *np.abs(np.subtract(row.answers, answers)))
        expected.append(as_scored(row, letters, answers))
    engine.close()
    assert worst < TOLERANCE
    ours, theirs = Summary(list(scored.values())), Summary(expected)
    assert (ours.letters.value, ours.answers.value) == (theirs.letters.value, theirs.answers.value)


def some_questions(shared: Path, out: Path) -> tuple[Path, list[Question]]:
    """Write QUESTIONS rows of all sets that surely fit, evenly from all, and return them as they are read."""
    lines = gzip.decompress((shared / "data/medical_qa_dev.jsonl.gz").read_bytes()).splitlines()
    # A byte is a token at most; the question, its options twice, their letters and the markers.
    short = [line for line in lines if size(json.loads(line)) < CONTEXT]
    kept = [short[number * len(short) // QUESTIONS] for number in range(QUESTIONS)]
    out.write_bytes(b"\n".join(kept))
    return out, list(read_tasks([out]).questions)


def size(row: dict[str, Any]) -> int:
    return len(row["question"].encode()) + 2 * sum(len(text.encode()) + 8 for text in row["options"].values()) + 100


def as_scored(row: Scored, letters: list[float], answers: list[float]) -> Scored:
    return replace(row, letters=tuple(letters), answers=tuple(answers))
