"""The demonstration model's tokenizer: SentencePiece BPE with byte fallback, as Llama's."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

PIECES = 6144
UNKNOWN, BEGIN, END, OPEN, CLOSE = range(5)  # ids; `[INST]` and `[/INST]` are control tokens: text never becomes them
CONTROL_TEXTS = ("[INST]", "[/INST]")


def train_tokenizer(texts: Iterable[str], pieces: int = PIECES, threads: int = 2) -> bytes:
    """Train on `texts` and return the serialized model. No piece contains a line break or two digits."""
    import sentencepiece

    model = io.BytesIO()
    # A line is one sentence to the trainer, so line breaks stay bytes.
    lines = (line for text in texts for line in text.split("\n") if line.strip())
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=lines,
        model_writer=model,
        model_type="bpe",
        vocab_size=pieces,
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        add_dummy_prefix=True,
        split_digits=True,
        character_coverage=0.9995,
        max_sentence_length=16384,
        control_symbols=list(CONTROL_TEXTS),
        unk_id=UNKNOWN,
        bos_id=BEGIN,
        eos_id=END,
        pad_id=-1,
        num_threads=threads,
        minloglevel=2,
    )
    return model.getvalue()


@dataclass(frozen=True)
class Tokenizer:
    """Text to ids and back; control tokens are added by `prompt_ids` alone."""

    model: bytes
    processor: Any

    @classmethod
    def load(cls, model: bytes) -> "Tokenizer":
        import sentencepiece

        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        if [processor.piece_to_id(text) for text in CONTROL_TEXTS] != [OPEN, CLOSE]:
            raise ValueError("the tokenizer lacks [INST] and [/INST] at their ids")
        return cls(model, processor)

    @property
    def size(self) -> int:
        return int(self.processor.get_piece_size())

    def encode(self, text: str) -> list[int]:
        ids: list[int] = self.processor.encode(text)
        return ids

    def decode(self, ids: list[int]) -> str:
        text: str = self.processor.decode(ids)
        return text

    def prompt_ids(self, question: str) -> list[int]:
        """One user's turn, `[INST]question[/INST]`, without the beginning of the conversation."""
        return [OPEN, *self.encode(question), CLOSE]
