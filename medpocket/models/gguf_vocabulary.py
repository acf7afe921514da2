"""Check the vocabulary of a GGUF file, of which llama.cpp asserts much and catches little."""

from medpocket.errors import ModelFileError
from medpocket.models.gguf_file import ArrayInfo, GgufFile, Value
from medpocket.models.gguf_kinds import CONVERT, damaged, shown

SENTENCEPIECE = "llama"
# Tokenizers of decoders -> the tokens that stand for start and end where the file does not say; src/llama-vocab.cpp.
# RWKV's never returns from a text with a byte that is no token, and PLaMo-2's is as rare.
DEFAULT_ENDS: dict[str, tuple[int | None, int | None]] = {
    SENTENCEPIECE: (1, 2),
    "gpt2": (11, 11),
    "gemma4": (None, None),
}
# Tokens that decide where an answer starts and stops; others out of range are ignored by llama.cpp.
DECIDING_TOKENS = ("bos", "eos", "eot", "eom")
SMALLEST_VOCABULARY = 4


def check_vocabulary(gguf: GgufFile, tokens: list[bytes] | None) -> None:
    """Refuse a vocabulary that llama.cpp cannot load, or that would abort the process on some text."""
    model = gguf.tokenizer_model
    if model is None:
        raise damaged(gguf.path, "it does not say how text becomes tokens (tokenizer.ggml.model)")
    if model not in DEFAULT_ENDS:
        raise ModelFileError(f"{shown(gguf.path.name)} has a tokenizer that cannot be used: {shown(model)}", CONVERT)
    if tokens is None or gguf.value_types["tokenizer.ggml.tokens"] != "arr[str]":
        raise damaged(gguf.path, "it has no vocabulary (tokenizer.ggml.tokens)")
    if len(tokens) < SMALLEST_VOCABULARY:
        raise damaged(gguf.path, f"its vocabulary has {len(tokens)} tokens")
    _check_tokens(gguf, tokens)
    _check_array(gguf, "scores", ("arr[f32]", "arr[i32]"), len(tokens))
    _check_array(gguf, "token_type", ("arr[i32]",), len(tokens))
    merged = model in ("gpt2", "gemma4") and gguf.text("tokenizer.ggml.pre") != "kimi-k2"
    if merged and gguf.value_types.get("tokenizer.ggml.merges") != "arr[str]":
        raise damaged(gguf.path, "its vocabulary has no merges (tokenizer.ggml.merges)")
    _check_special_tokens(gguf, model, len(tokens))


def _check_tokens(gguf: GgufFile, tokens: list[bytes]) -> None:
    """Each token once, as llama.cpp reads it: up to its first NUL, an empty one renamed after its number."""
    distinct = set(tokens)
    if b"" in distinct or b"\0" in b"".join(tokens):
        cut = [token.split(b"\0", 1)[0] for token in tokens]
        distinct = {token or b"[EMPTY_%d]" % number for number, token in enumerate(cut)}
    if len(distinct) != len(tokens):
        repeated = len(tokens) - len(distinct)
        raise damaged(gguf.path, f"its vocabulary repeats itself ({repeated:,} of {len(tokens):,} tokens)")
    if gguf.tokenizer_model == SENTENCEPIECE:
        # Text that no token spells becomes bytes; a byte without a token ends the process.
        for byte in range(256):
            if b"<0x%02X>" % byte not in distinct and (byte == 0 or bytes((byte,)) not in distinct):
                raise ModelFileError(
                    f"{shown(gguf.path.name)} cannot be run: its vocabulary cannot spell byte 0x{byte:02X}",
                    "convert it again, with byte fallback",
                )


def _length(value: Value | None) -> int:
    if isinstance(value, ArrayInfo):
        return value.count
    return len(value) if isinstance(value, tuple) else 0


def _check_array(gguf: GgufFile, name: str, types: tuple[str, ...], tokens: int) -> None:
    key = f"tokenizer.ggml.{name}"
    if key not in gguf.metadata:
        return
    if gguf.value_types[key] not in types:
        raise damaged(gguf.path, f"{key} has the wrong type, {gguf.value_types[key]}")
    length = _length(gguf.metadata[key])
    if length < tokens:
        raise damaged(gguf.path, f"its vocabulary has {tokens:,} tokens and {length:,} {name.replace('_', ' ')}s")


def _check_special_tokens(gguf: GgufFile, model: str, tokens: int) -> None:
    """Start and end are tokens of the vocabulary, and a start that is to be added exists."""
    for name in DECIDING_TOKENS:
        key = f"tokenizer.ggml.{name}_token_id"
        number = gguf.number(key)
        if key in gguf.metadata and (gguf.value_types[key] != "u32" or number is None or number >= tokens):
            raise damaged(gguf.path, f"{key} is {shown(str(gguf.metadata[key]))}, no token of its vocabulary")
    for position, end in enumerate(("bos", "eos")):
        default = DEFAULT_ENDS[model][position]
        known = f"tokenizer.ggml.{end}_token_id" in gguf.metadata or (default is not None and default < tokens)
        added = gguf.metadata.get(f"tokenizer.ggml.add_{end}_token", end == "bos")
        if added and not known:
            raise damaged(gguf.path, f"it wants a token added to each text that it does not name ({end})")
