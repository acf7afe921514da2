"""Tiny GGUF models of several architectures, written with the gguf package: they load and run in milliseconds."""

from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np

EMBEDDING, INNER, LAYERS, HEADS, KV_HEADS, CONTEXT = 64, 96, 3, 8, 4, 128
HEAD = EMBEDDING // HEADS
WORDS = "the of and to in a is for with on that by as from are it or be this an at which has was can may not".split()  # noqa: SIM905


@dataclass(frozen=True)
class Build:
    """What sets one tiny model apart from a Llama with a SentencePiece vocabulary."""

    architecture: str = "llama"
    tokenizer: str = "llama"
    experts: int = 0
    joined_qkv: bool = False
    biases: bool = False
    quantized: bool = False
    own_output: bool = True


BUILDS = {
    "llama": Build(),
    "llama-q8": Build(quantized=True, own_output=False),
    "llama-bpe": Build(tokenizer="gpt2"),
    "llama-experts": Build(experts=4),
    "mistral3": Build("mistral3"),
    "smollm3": Build("smollm3"),
    "qwen2": Build("qwen2", tokenizer="gpt2", biases=True),
    "qwen3": Build("qwen3", tokenizer="gpt2"),
    "phi3": Build("phi3", joined_qkv=True),
    "gemma": Build("gemma", own_output=False),
    "gemma2": Build("gemma2", own_output=False),
    "gemma3": Build("gemma3"),
}


def sentencepiece_tokens() -> tuple[list[bytes], list[float], list[int]]:
    """Tokens, scores and types: controls, all bytes, letters, and words with and without a leading space."""
    tokens = [b"<unk>", b"<s>", b"</s>"]
    types = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL]
    tokens += [b"<0x%02X>" % byte for byte in range(256)]
    types += [gguf.TokenType.BYTE] * 256
    letters = [bytes((letter,)) for letter in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,?!'-()"]
    words = [word.encode() for word in WORDS if len(word) > 1]
    plain = ["▁".encode(), *letters, *words, *("▁".encode() + word.encode() for word in WORDS)]
    tokens += plain
    types += [gguf.TokenType.NORMAL] * len(plain)
    scores = [0.0] * 259 + [-float(number) for number in range(len(plain))]
    return tokens, scores, [int(kind) for kind in types]


def byte_level_tokens() -> tuple[list[bytes], list[int], list[str]]:
    """Tokens, types and merges of a byte-level vocabulary: GPT-2's printable stand-in for each byte, and words."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    alphabet = [chr(byte) for byte in printable] + [chr(256 + number) for number in range(len(others))]
    tokens, merges = list(alphabet), []
    for word in WORDS:
        made = "Ġ"
        for letter in word:
            if made + letter not in tokens:
                tokens.append(made + letter)
                merges.append(f"{made} {letter}")
            made += letter
    ends = ["<|begin|>", "<|im_end|>"]
    types = [int(gguf.TokenType.NORMAL)] * len(tokens) + [int(gguf.TokenType.CONTROL)] * len(ends)
    return [token.encode() for token in tokens + ends], types, merges


def write_vocabulary(writer: gguf.GGUFWriter, tokenizer: str) -> int:
    """Add a vocabulary; give its size."""
    writer.add_tokenizer_model(tokenizer)
    if tokenizer == "gpt2":
        tokens, types, merges = byte_level_tokens()
        writer.add_tokenizer_pre("llama-bpe")
        writer.add_token_merges(merges)
        writer.add_bos_token_id(len(tokens) - 2)
        writer.add_eos_token_id(len(tokens) - 1)
    else:
        tokens, scores, types = sentencepiece_tokens()
        writer.add_token_scores(scores)
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
        writer.add_unk_token_id(0)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_add_bos_token(True)
    writer.add_chat_template("{% for m in messages %}[INST] {{ m['content'] }} [/INST]{% endfor %}")
    return len(tokens)


def _write_numbers(writer: gguf.GGUFWriter, build: Build) -> None:
    writer.add_name("tiny model")
    writer.add_type("model")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(EMBEDDING)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(HEAD)
    writer.add_rope_freq_base(10000.0)
    writer.add_file_type(7 if build.quantized else 0)
    if build.experts:
        writer.add_expert_count(build.experts)
        writer.add_expert_used_count(2)
    if build.architecture in ("gemma2", "gemma3"):
        writer.add_sliding_window(16)


def _shapes(build: Build, vocabulary: int) -> dict[str, tuple[int, ...]]:
    """Name -> shape as numpy has it, rows first."""
    keys, architecture = HEAD * KV_HEADS, build.architecture
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (vocabulary, EMBEDDING),
        "output_norm.weight": (EMBEDDING,),
    }
    if build.own_output:
        shapes["output.weight"] = (vocabulary, EMBEDDING)
    norms = ["attn_norm", "ffn_norm"]
    if architecture in ("gemma2", "gemma3"):
        norms += ["post_attention_norm", "post_ffw_norm"]
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        shapes |= {f"{block}{norm}.weight": (EMBEDDING,) for norm in norms}
        if architecture in ("qwen3", "gemma3"):
            shapes |= {f"{block}attn_{side}_norm.weight": (HEAD,) for side in "qk"}
        if build.joined_qkv:
            shapes[f"{block}attn_qkv.weight"] = (EMBEDDING + 2 * keys, EMBEDDING)
        else:
            for side, length in (("q", EMBEDDING), ("k", keys), ("v", keys)):
                shapes[f"{block}attn_{side}.weight"] = (length, EMBEDDING)
                if build.biases:
                    shapes[f"{block}attn_{side}.bias"] = (length,)
        shapes[f"{block}attn_output.weight"] = (EMBEDDING, EMBEDDING)
        shapes |= _feed_forward_shapes(build, block)
    return shapes


def _feed_forward_shapes(build: Build, block: str) -> dict[str, tuple[int, ...]]:
    if build.experts:
        return {
            f"{block}ffn_gate_inp.weight": (build.experts, EMBEDDING),
            f"{block}ffn_gate_exps.weight": (build.experts, INNER, EMBEDDING),
            f"{block}ffn_up_exps.weight": (build.experts, INNER, EMBEDDING),
            f"{block}ffn_down_exps.weight": (build.experts, EMBEDDING, INNER),
        }
    if build.architecture == "phi3":
        return {f"{block}ffn_up.weight": (2 * INNER, EMBEDDING), f"{block}ffn_down.weight": (EMBEDDING, INNER)}
    return {
        f"{block}ffn_gate.weight": (INNER, EMBEDDING),
        f"{block}ffn_up.weight": (INNER, EMBEDDING),
        f"{block}ffn_down.weight": (EMBEDDING, INNER),
    }


def write_seed(path: Path, build: Build = BUILDS["llama"]) -> Path:
    """Write a tiny model with random weights to `path`."""
    writer = gguf.GGUFWriter(path, build.architecture)
    _write_numbers(writer, build)
    vocabulary = write_vocabulary(writer, build.tokenizer)
    random = np.random.default_rng(0)
    for name, shape in _shapes(build, vocabulary).items():
        weights = random.normal(0, 0.05, shape).astype(np.float32)
        if build.quantized and len(shape) > 1:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(name, gguf.quants.quantize(weights, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file(progress=False)
    writer.close()
    return path
