"""What the documents claim of the model that ships."""

import re
from functools import cache
from pathlib import Path

import pytest

from medpocket import paths
from medpocket.forge.corpus import Corpus, load_corpus
from medpocket.forge.demo_report import Answered, ask, held_out_questions, most_repeated
from medpocket.forge.dialogue import EXPERT_LINES, plain_exchange
from medpocket.forge.subjects import split_key

DEMO = paths.assets_folder() / "demo.gguf"
DOCUMENT = Path(__file__).parents[2] / "docs" / "demo-model.md"
LARGEST = 14_000_000  # bytes


def test_a_phrase_is_counted_each_time_it_is_said() -> None:
    phrase = "the cause of it is not known yet."
    assert most_repeated(f"{phrase} Still, {phrase} And {phrase.upper()}") == 3
    assert most_repeated("too short") == 0


def test_an_answer_is_judged_by_its_own_subject() -> None:
    assert Answered("Gilbert syndrome", "", "Gilbert\nSyndrome is harmless.", True).names_subject
    assert not Answered("Gilbert syndrome", "", "This syndrome is harmless.", True).names_subject


@pytest.fixture(scope="module")
def demo() -> Path:
    if not DEMO.exists():
        pytest.skip("assets/demo.gguf is not there")
    return DEMO


cached_corpus = cache(load_corpus)


@pytest.fixture
def real_corpus(shared: Path) -> Corpus:
    return cached_corpus(shared / "data")


def test_the_shipped_file_is_small_and_says_what_it_is(demo: Path) -> None:
    import gguf

    fields = {key: field.contents() for key, field in gguf.GGUFReader(demo).fields.items()}
    assert demo.stat().st_size <= LARGEST
    assert fields["medpocket.demonstration"] is True
    assert fields["llama.context_length"] >= 1024
    assert "no clinical model" in fields["general.description"]


@pytest.mark.prove
def test_held_out_questions_are_answered_on_their_subject(demo: Path, real_corpus: Corpus) -> None:
    entries = held_out_questions(real_corpus)
    assert len({split_key(entry.subject) for entry in entries}) == 50
    answers = list(ask(demo, [(entry.subject, plain_exchange(entry).question) for entry in entries]))
    assert sum(answer.names_subject for answer in answers) >= 45
    assert max(answer.repeats for answer in answers) < 3
    assert min(len(answer.answer.split()) for answer in answers) >= 5  # a sentence


@pytest.mark.prove
def test_an_expert_line_does_not_lead_the_answer_astray(demo: Path, real_corpus: Corpus) -> None:
    asked = [
        (entry.subject, f"{plain_exchange(entry).question}\n\n{EXPERT_LINES[number % len(EXPERT_LINES)]}")
        for number, entry in enumerate(held_out_questions(real_corpus))
    ]
    assert sum(answer.names_subject for answer in ask(demo, asked)) >= 43


@pytest.mark.prove
def test_the_documented_perplexity_is_the_shipped_files(demo: Path, real_corpus: Corpus) -> None:
    np = pytest.importorskip("numpy", reason="needs numpy (the extra `train`)")
    from tests.forge.llama_logits import LlamaLogits, losses

    model = LlamaLogits(demo)
    found = []
    for entry in held_out_questions(real_corpus, 150):
        exchange = plain_exchange(entry)
        prompt = model.prompt(exchange.question)
        answer = model.answer(exchange.answer)
        ids = (prompt + answer)[:1024]
        labels = ([-100] * len(prompt) + answer)[:1024]
        found.append(losses(model(ids), ids, labels))
    model.close()
    perplexity = float(np.exp(np.concatenate(found).mean()))
    documented = re.search(r"shipped file, through llama\.cpp \| (\d+\.\d+)", DOCUMENT.read_text(encoding="utf-8"))
    assert documented, "docs/demo-model.md does not give the perplexity"
    assert perplexity == pytest.approx(float(documented.group(1)), rel=0.01)


@pytest.mark.prove
def test_the_data_gives_the_shipped_tokenizer_and_torch_the_shipped_logits(
    demo: Path, real_corpus: Corpus, tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch", reason="needs torch (the extra `train`)")
    import numpy as np

    from medpocket.forge.demo import prepared_tokenizer
    from medpocket.forge.gguf_export import export_model
    from tests.forge.gguf_weights import torch_model
    from tests.forge.llama_logits import LlamaLogits, logits_of

    tokenizer = prepared_tokenizer(real_corpus, tmp_path)
    shipped = LlamaLogits(demo)
    exchange = plain_exchange(held_out_questions(real_corpus)[0])
    ids = shipped.prompt(exchange.question) + shipped.answer(exchange.answer)
    assert ids == [1, *tokenizer.prompt_ids(exchange.question), *tokenizer.encode(exchange.answer), 2]
    model = torch_model(demo)
    export_model(model, tokenizer, tmp_path / "f32.gguf", "F32")
    with torch.no_grad():
        expected = model(input_ids=torch.tensor([ids])).logits[0].numpy()
    assert np.abs(logits_of(tmp_path / "f32.gguf", ids) - expected).max() < 1e-2
    assert np.abs(shipped(ids) - expected).mean() < 0.1
    shipped.close()
