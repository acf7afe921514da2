"""A byte-level BPE vocabulary in the manner of Llama 3: every byte a token, a few merges, four control tokens."""

from pathlib import Path

import gguf

CONTROLS = ("<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>")
MERGES = ("Ġ a", "a n", "an d", "Ċ Ċ")


def byte_characters() -> list[str]:
    """The printable character that byte-level BPE writes for each byte (GPT-2's `bytes_to_unicode`)."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in shown else chr(next(others)) for byte in range(256)]


def write_vocabulary(path: Path) -> None:
    """Write a GGUF file that holds the vocabulary alone."""
    tokens = [*byte_characters(), *(merge.replace(" ", "") for merge in MERGES), *CONTROLS]
    kinds = [gguf.TokenType.NORMAL] * (len(tokens) - len(CONTROLS)) + [gguf.TokenType.CONTROL] * len(CONTROLS)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(list(MERGES))
    writer.add_bos_token_id(tokens.index(CONTROLS[0]))
    writer.add_eos_token_id(tokens.index(CONTROLS[1]))
    writer.add_add_bos_token(True)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
