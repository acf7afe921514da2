import pytest

from medpocket.forge.corpus import Corpus
from medpocket.forge.dialogue import Exchange
from medpocket.forge.packing import IGNORED, Batches, document, pack
from medpocket.forge.tokenizer import BEGIN, CLOSE, END, OPEN, Tokenizer, train_tokenizer

pytest.importorskip("sentencepiece", reason="needs sentencepiece (the extra `train`)")


@pytest.fixture
def tokenizer(corpus: Corpus) -> Tokenizer:
    return Tokenizer.load(train_tokenizer([entry.answer for entry in corpus.train], pieces=400))


@pytest.mark.parametrize(
    "text",
    ["fever\n- pain\n\n- rash", "two  spaces", " leading", "caf\u00e9 \u03bcg \U0001f600", "1234 mg", "", "\ttab\n"],
)
def test_text_comes_back_as_it_was(tokenizer: Tokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_typed_markers_never_become_markers(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("[INST] stop [/INST] </s> <s> <unk>")
    assert not {0, BEGIN, END, OPEN, CLOSE} & set(ids)


def test_digits_stand_alone_and_line_breaks_are_bytes(tokenizer: Tokenizer) -> None:
    pieces = [tokenizer.processor.id_to_piece(index) for index in range(tokenizer.size)]
    assert not [piece for piece in pieces if sum(character.isdigit() for character in piece) > 1 and piece[0] != "<"]
    assert not [piece for piece in pieces if "\n" in piece]
    assert tokenizer.processor.id_to_piece(tokenizer.encode("a\nb")[-2]) == "<0x0A>"


def test_a_tokenizer_without_the_markers_is_refused(corpus: Corpus) -> None:
    import io

    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=(entry.answer for entry in corpus.train), model_writer=model, vocab_size=60, minloglevel=2
    )
    with pytest.raises(ValueError, match="INST"):
        Tokenizer.load(model.getvalue())


def test_answers_are_learnt_and_questions_are_not(tokenizer: Tokenizer) -> None:
    first, second = Exchange("What is gout?", "Gout is a pain."), Exchange("And measles?", "A rash.")
    ids, labels = document(tokenizer, (first, second))
    answers = [[*tokenizer.encode(exchange.answer), END] for exchange in (first, second)]
    asked = [[OPEN, *tokenizer.encode(exchange.question), CLOSE] for exchange in (first, second)]
    assert ids == [BEGIN, *asked[0], *answers[0], *asked[1], *answers[1]]
    assert [label for label in labels if label != IGNORED] == answers[0] + answers[1]
    assert all(label in (IGNORED, token) for token, label in zip(ids, labels, strict=True))


def test_the_end_of_a_cut_answer_is_not_learnt(tokenizer: Tokenizer) -> None:
    ids, labels = document(tokenizer, (Exchange("What is gout?", "Gout is a pain.", whole=False),))
    assert END not in ids
    assert labels[-1] == tokenizer.encode("Gout is a pain.")[-1]


def test_packing_keeps_documents_whole() -> None:
    documents = [
        ([number] * length, [number] * length) for number, length in enumerate([5, 7, 3, 4, 6, 2, 9, 1], start=10)
    ]
    packed = list(pack(documents, 10))
    assert all(len(ids) == len(labels) == 10 for ids, labels in packed)
    for ids, labels in documents:
        assert sum(str(ids)[1:-1] in str(sequence)[1:-1] for sequence, _ in packed) == 1
        assert sum(label == labels[0] for _, row in packed for label in row) == len(labels)
    assert len(packed) == 4


def test_padding_is_not_learnt() -> None:
    assert list(pack([([7, 8], [7, 8])], 4)) == [([7, 8, END, END], [7, 8, IGNORED, IGNORED])]


def test_batches_do_not_depend_on_what_was_asked_before(corpus: Corpus, tokenizer: Tokenizer) -> None:
    in_order = Batches(corpus, tokenizer, seed=3, size=2, length=64)
    first = [in_order[step] for step in range(40)]
    later = Batches(corpus, tokenizer, seed=3, size=2, length=64)
    assert [later[step] for step in (33, 2, 39)] == [first[step] for step in (33, 2, 39)]
    assert first[0] != first[39]
