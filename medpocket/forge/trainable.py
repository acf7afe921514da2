"""A base model ready to be trained on: its torch weights, and the tokenizer that MedPocket's engine will use."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medpocket.engine import load_vocabulary
from medpocket.errors import InputError, ModelFileError
from medpocket.forge.rows import Row
from medpocket.models.gguf_check import check_model_file
from medpocket.models.gguf_file import GgufFile
from medpocket.models.gguf_kinds import shown
from medpocket.types import Turn

IGNORED = -100  # label of a token that is read and not learnt
DEQUANTIZED = frozenset({"llama", "qwen2", "qwen3", "gemma2"})  # architectures that transformers reads from GGUF


@dataclass(frozen=True)
class Example:
    """Token ids of one conversation, and the same as labels, those before the answer ignored.

    `answer` is where the answer begins, right behind the marker.
    """

    ids: tuple[int, ...]
    labels: tuple[int, ...]
    answer: int

    @property
    def learnt(self) -> int:
        return sum(label != IGNORED for label in self.labels)


class Trainable:
    """The weights of a base model, and how its rows become tokens.

    The file that ships is enough: its weights are dequantized. `invocation` are the tokens of the marker before an
    answer, from which an activated adapter acts.
    """

    def __init__(self, path: Path, file: GgufFile, *, four_bit: bool, device: str, template: str | None) -> None:
        self.path, self.file = path, file
        self._vocabulary = load_vocabulary(file.path, template=template)
        prompt = self._vocabulary.encode([Turn("user", "a")])
        self.invocation = prompt.ids[prompt.marker :]
        if not self.invocation or prompt.marker == 0:
            raise InputError(
                f"{shown(file.path.name)} has no marker before its answers that could switch an adapter on",
                "train an ordinary adapter: --ordinary",
            )
        self.model = _load_weights(path, four_bit=four_bit, device=device)
        self.context = min(file.trained_context or 1024, int(self.model.config.max_position_embeddings))

    def example(self, row: Row, line: str = "", limit: int | None = None) -> Example:
        """The row as a conversation of one turn; an answer that is longer than `limit` tokens in all is cut."""
        prompt = self._vocabulary.encode([Turn("user", row.question, line=line)]).ids
        answer = self._vocabulary.encode_answer(row.answer)
        ids = (*prompt, *answer)[: limit or self.context]
        labels = (*(IGNORED for _ in prompt), *answer)[: limit or self.context]
        return Example(ids, labels, len(prompt))


def load_trainable(
    path: Path, *, gguf: Path | None = None, four_bit: bool = False, device: str = "cpu", template: str | None = None
) -> Trainable:
    """Load a GGUF file, or a Hugging Face folder whose GGUF conversion, of any quantization, is `gguf`.

    Raises ModelFileError and InputError.
    """
    # stderr has our own lines of progress. This must be set before the first import of tqdm.
    os.environ.setdefault("TQDM_DISABLE", "1")
    if path.is_dir():
        if gguf is None:
            raise InputError(
                f"{shown(path.name)} is a folder of weights; its tokenizer and prompt are taken from a GGUF file of it",
                "give any GGUF file of the same model too: --gguf FILE",
            )
        file = check_model_file(gguf)
    else:
        file = check_model_file(path)
        if file.architecture not in DEQUANTIZED:
            raise ModelFileError(
                f"{shown(path.name)} is {shown(file.architecture or '')}, an architecture not trained from GGUF",
                "give the folder of its original weights with --base, and the GGUF file with --gguf",
            )
        if file.other_parts:
            raise ModelFileError(
                f"{shown(path.name)} is split in parts, which cannot be trained from",
                "join them with llama-gguf-split --merge",
            )
    return Trainable(path, file, four_bit=four_bit, device=device, template=template)


def _load_weights(path: Path, *, four_bit: bool, device: str) -> Any:
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    options: dict[str, Any] = {"dtype": torch.float32 if device == "cpu" else torch.bfloat16, "local_files_only": True}
    if four_bit:
        options["quantization_config"] = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_compute_dtype=torch.bfloat16)
    if path.is_dir():
        return AutoModelForCausalLM.from_pretrained(path, **options).to(device)
    if not four_bit:
        return AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, **options).to(device)
    # bitsandbytes quantizes what it reads from a folder, so the dequantized weights pass through one.
    with tempfile.TemporaryDirectory() as folder:
        quantization = options.pop("quantization_config")
        AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, **options).save_pretrained(folder)
        return AutoModelForCausalLM.from_pretrained(folder, quantization_config=quantization, **options)
