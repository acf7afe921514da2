from collections.abc import Callable
from pathlib import Path

import pytest

from medpocket.errors import ModelFileError
from medpocket.models.gguf_check import check_model_file
from tests.models.gguf_editing import BOOL, F32, I32, STRING, U8, U32, Parts, parts_of, write


def refusal_of(folder: Path, change: Callable[[Parts], object], build: str = "llama") -> str:
    parts = parts_of(build, folder)
    change(parts)
    with pytest.raises(ModelFileError) as caught:
        check_model_file(write(parts, folder))
    return caught.value.message


def replace_tokens(changes: dict[int, bytes]) -> Callable[[Parts], None]:
    def replace(parts: Parts) -> None:
        tokens = parts.tokens()
        for number, token in changes.items():
            tokens[number] = token
        parts.set("tokenizer.ggml.tokens", STRING, list(tokens))

    return replace


@pytest.mark.parametrize("model", ["bert", "t5", "none", "no_vocab", "test", "hybriddna", "rwkv", "\x1b[2J"])
def test_tokenizers_that_no_decoder_here_uses_are_refused_by_name(tmp_path: Path, model: str) -> None:
    message = refusal_of(tmp_path, lambda parts: parts.set("tokenizer.ggml.model", STRING, model))
    assert f"tokenizer that cannot be used: {model.replace(chr(27), '?')}" in message


@pytest.mark.parametrize("key", ["model", "tokens"])
def test_a_missing_vocabulary_is_refused(tmp_path: Path, key: str) -> None:
    assert f"tokenizer.ggml.{key}" in refusal_of(tmp_path, lambda parts: parts.drop(f"tokenizer.ggml.{key}"))


def test_tokens_that_are_no_texts_are_refused(tmp_path: Path) -> None:
    change = lambda parts: parts.set("tokenizer.ggml.tokens", U8, [1] * 383)  # noqa: E731
    assert "has no vocabulary" in refusal_of(tmp_path, change)


def test_a_token_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    assert "repeats itself (1 of 383 tokens)" in refusal_of(tmp_path, replace_tokens({300: b"of"}))


def test_tokens_equal_up_to_a_nul_are_one_for_llama_cpp(tmp_path: Path) -> None:
    assert "repeats itself" in refusal_of(tmp_path, replace_tokens({300: b"of\0x"}))


def test_empty_tokens_are_told_apart_by_their_number(tmp_path: Path) -> None:
    parts = parts_of("llama", tmp_path)
    replace_tokens({300: b"", 301: b"\0"})(parts)
    assert check_model_file(write(parts, tmp_path)).vocabulary_size == 383
    assert "repeats itself" in refusal_of(tmp_path, replace_tokens({300: b"", 301: b"[EMPTY_300]"}))


def test_a_byte_that_cannot_be_spelt_is_refused(tmp_path: Path) -> None:
    """llama.cpp ends the process when a text holds such a byte."""
    assert "cannot spell byte 0x0A" in refusal_of(tmp_path, replace_tokens({3 + 0x0A: b"<0x0a>"}))
    assert "cannot spell byte 0xFF" in refusal_of(tmp_path, replace_tokens({3 + 0xFF: b"other"}))
    assert "cannot spell byte 0x00" in refusal_of(tmp_path, replace_tokens({3: b"\0"}))


def test_a_byte_may_be_spelt_by_itself(tmp_path: Path) -> None:
    parts = parts_of("llama", tmp_path)
    replace_tokens({3 + 0x0A: b"\n"})(parts)
    assert check_model_file(write(parts, tmp_path)).vocabulary_size == 383


@pytest.mark.parametrize("name", ["scores", "token_type"])
def test_lists_shorter_than_the_vocabulary_are_refused(tmp_path: Path, name: str) -> None:
    kind = F32 if name == "scores" else I32
    message = refusal_of(tmp_path, lambda parts: parts.set(f"tokenizer.ggml.{name}", kind, [1] * 382))
    assert "383 tokens and 382" in message


@pytest.mark.parametrize("name", ["scores", "token_type"])
def test_lists_of_another_type_are_refused(tmp_path: Path, name: str) -> None:
    message = refusal_of(tmp_path, lambda parts: parts.set(f"tokenizer.ggml.{name}", U32, [1] * 383))
    assert f"tokenizer.ggml.{name} has the wrong type, arr[u32]" in message


@pytest.mark.parametrize("name", ["bos", "eos", "eot", "eom"])
@pytest.mark.parametrize("number", [383, (1 << 32) - 1])
def test_ends_that_are_no_tokens_are_refused(tmp_path: Path, name: str, number: int) -> None:
    key = f"tokenizer.ggml.{name}_token_id"
    assert f"{key} is {number}" in refusal_of(tmp_path, lambda parts: parts.set(key, U32, number))


def test_other_special_tokens_out_of_range_are_left_to_llama_cpp(tmp_path: Path) -> None:
    parts = parts_of("llama", tmp_path)
    parts.set("tokenizer.ggml.padding_token_id", U32, (1 << 32) - 1)
    assert check_model_file(write(parts, tmp_path)).architecture == "llama"


def test_a_start_that_is_added_and_not_named_is_refused(tmp_path: Path) -> None:
    """Byte-level vocabularies have token 11 for it where the file is silent: too few tokens, and llama.cpp aborts."""

    def shrink(parts: Parts) -> None:
        parts.set("tokenizer.ggml.tokens", STRING, [b"a", b"b", b"c", b"d", b"e"])
        parts.drop("tokenizer.ggml.bos_token_id")
        parts.set("tokenizer.ggml.eos_token_id", U32, 1)
        parts.tensor("token_embd.weight").shape = parts.tensor("output.weight").shape = [64, 5]
        parts.layout()

    assert "does not name (bos)" in refusal_of(tmp_path, shrink, "llama-bpe")


def test_an_end_that_is_added_and_not_named_is_refused(tmp_path: Path) -> None:
    def change(parts: Parts) -> None:
        parts.set("tokenizer.ggml.model", STRING, "gemma4")
        parts.drop("tokenizer.ggml.eos_token_id")
        parts.set("tokenizer.ggml.add_eos_token", BOOL, 1)

    assert "does not name (eos)" in refusal_of(tmp_path, change, "llama-bpe")


def test_a_byte_level_vocabulary_needs_its_merges(tmp_path: Path) -> None:
    assert "has no merges" in refusal_of(tmp_path, lambda parts: parts.drop("tokenizer.ggml.merges"), "qwen2")
