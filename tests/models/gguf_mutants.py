"""Damage GGUF files in every way that a header can be damaged, the same way each time for the same number."""

import random
import struct
from collections.abc import Callable

from medpocket.models.gguf_architectures import DECODERS
from medpocket.models.gguf_file import TENSOR_TYPES
from tests.models.gguf_editing import (
    ARRAY,
    BOOL,
    F32,
    LAYOUTS,
    STRING,
    U32,
    Parts,
    Tensor,
    joined_strings,
    packed,
    split_strings,
    take_apart,
    text_bytes,
)

NUMBERS = (0, 1, 2, 3, 5, 7, 8, 9, 16, 64, 65, 127, 255, 256, 511, 512, 513, 1024, 65535, 1 << 20, 1 << 24)
NUMBERS += ((1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 40, (1 << 62) - 1, 1 << 63, (1 << 64) - 1)
FLOATS = (0.0, -0.0, 1.0, -1.0, 1e-30, 1e30, float("inf"), float("-inf"), float("nan"))
OWN_KEYS = """
    vocab_size context_length embedding_length embedding_length_out embedding_length_per_layer_input features_length
    block_count leading_dense_block_count feed_forward_length expert_feed_forward_length
    expert_shared_feed_forward_length use_parallel_residual tensor_data_layout expert_count expert_used_count
    expert_shared_count expert_group_count expert_group_used_count expert_weights_scale expert_weights_norm
    expert_gating_func moe_every_n_layers nextn_predict_layers n_deepstack_layers hidden_activation pooling_type
    logit_scale decoder_start_token_id decoder_block_count attn_logit_softcapping router_logit_softcapping
    final_logit_softcapping swin_norm rescale_every_n_layers residual_scale embedding_scale token_shift_count
    interleave_moe_layer_step full_attention_interval num_loops attention.head_count attention.head_count_kv
    attention.max_alibi_bias attention.clamp_kqv attention.key_length attention.value_length
    attention.layer_norm_epsilon attention.layer_norm_rms_epsilon attention.group_norm_epsilon
    attention.group_norm_groups attention.causal attention.q_lora_rank attention.kv_lora_rank
    attention.relative_buckets_count attention.sliding_window attention.sliding_window_pattern
    attention.rope_pattern attention.scale attention.output_scale attention.temperature_length
    attention.temperature_scale attention.key_length_mla attention.value_length_mla attention.key_length_swa
    attention.value_length_swa attention.shared_kv_layers attention.recurrent_layers rope.dimension_count
    rope.dimension_count_swa rope.dimension_sections rope.freq_base rope.freq_base_swa rope.scale_linear
    rope.scaling.type rope.scaling.factor rope.scaling.attn_factor rope.scaling.alpha
    rope.scaling.original_context_length rope.scaling.finetuned rope.scaling.yarn_log_multiplier
    rope.scaling.yarn_ext_factor rope.scaling.yarn_attn_factor rope.scaling.yarn_beta_fast
    rope.scaling.yarn_beta_slow adapters.count classifier.output_labels classifier.pooling_type
""".split()  # noqa: SIM905
COMMON_KEYS = """
    general.type general.name general.alignment general.file_type general.quantization_version adapter.type
    split.count split.no split.tensors.count tokenizer.ggml.model tokenizer.ggml.pre tokenizer.ggml.token_type_count
    tokenizer.ggml.bos_token_id tokenizer.ggml.eos_token_id tokenizer.ggml.eot_token_id tokenizer.ggml.eom_token_id
    tokenizer.ggml.unknown_token_id tokenizer.ggml.seperator_token_id tokenizer.ggml.padding_token_id
    tokenizer.ggml.mask_token_id tokenizer.ggml.add_bos_token tokenizer.ggml.add_eos_token
    tokenizer.ggml.add_sep_token tokenizer.ggml.add_space_prefix tokenizer.ggml.remove_extra_whitespaces
    tokenizer.ggml.precompiled_charsmap tokenizer.ggml.suppress_tokens tokenizer.ggml.normalizer.lowercase
    tokenizer.ggml.fim_pre_token_id tokenizer.ggml.fim_pad_token_id tokenizer.ggml.prefix_token_id
    tokenizer.ggml.scores tokenizer.ggml.merges tokenizer.chat_template xielu.alpha_n
""".split()  # noqa: SIM905
TEXTS = (b"", b"\0", b"none", b"linear", b"yarn", b"longrope", b"llama", b"gpt2", b"bert", b"t5", b"rwkv", b"gemma4")
TEXTS += (b"plamo2", b"test", b"whitespace", b"hybriddna", b"no_vocab", b"default", b"adapter", b"model", b"phi-3 mini")
TEXTS += (b"\xff\xfe\x00", b"x" * 300, b"silu", b"kimi-k2", b"llama-bpe", b"\xe2\x80\xae")
EXTRA_TENSORS = """
    output.weight output.bias output.scale output.input_scale token_embd_norm.weight rope_freqs.weight
    rope_factors_long.weight rope_factors_short.weight cls.weight cls.output.weight blk.0.attn_q.bias blk.0.attn_k.bias
    blk.0.attn_v.bias blk.0.attn_output.bias blk.0.attn_q.scale blk.0.attn_q.input_scale blk.0.ffn_up.scale
    blk.0.ffn_up.bias blk.0.ffn_down.bias blk.0.ffn_gate.bias blk.0.ffn_gate.scale blk.0.attn_qkv.weight
    blk.0.attn_qkv.bias blk.0.attn_norm.bias blk.0.attn_q_norm.weight blk.0.ffn_gate_inp.weight blk.0.attn_sinks.weight
    blk.0.ffn_up_exps.weight blk.0.rope_freqs.weight blk.9.attn_norm.weight dense_2.weight dense_3.weight
""".split()  # noqa: SIM905


def _any_value(chance: random.Random) -> tuple[int, bytes]:
    kind = chance.choice((U32, U32, U32, U32, F32, F32, BOOL, STRING, ARRAY, 0, 2, 5, 10, 11, 12))
    if kind == STRING:
        return kind, text_bytes(chance.choice(TEXTS))
    if kind == ARRAY:
        count = chance.choice((0, 1, 2, 3, 4, 32, 512, 513))
        if chance.random() < 0.2:
            return kind, joined_strings([chance.choice(TEXTS) for _ in range(count)])
        element = chance.choice((U32, 5, F32, BOOL, 10))
        return kind, struct.pack("<IQ", element, count) + b"".join(_number(chance, element) for _ in range(count))
    return kind, _number(chance, kind)


def _number(chance: random.Random, kind: int) -> bytes:
    layout = LAYOUTS[kind]
    if layout in "fd":
        return struct.pack(f"<{layout}", chance.choice(FLOATS))
    return packed(layout, chance.choice(NUMBERS))


# Each takes a file apart and gives the damaged one, or changes the parts and gives nothing.
Mutation = Callable[[random.Random, Parts], "bytes | None"]


def flip_bits(chance: random.Random, parts: Parts) -> bytes:
    data = bytearray(parts.write())
    for _ in range(chance.choice((1, 1, 2, 8))):
        data[chance.randrange(4, len(parts.header))] ^= 1 << chance.randrange(8)
    return bytes(data)


def overwrite_number(chance: random.Random, parts: Parts) -> bytes:
    data = bytearray(parts.write())
    layout = chance.choice("BIQ")
    start = chance.randrange(4, len(parts.header) - 8)
    data[start : start + struct.calcsize(layout)] = packed(layout, chance.choice(NUMBERS))
    return bytes(data)


def truncate(chance: random.Random, parts: Parts) -> bytes:
    data = parts.write()
    return data[: chance.randrange(len(parts.header) if chance.random() < 0.7 else len(data))]


def change_counts(chance: random.Random, parts: Parts) -> None:
    counts = [len(parts.tensors), len(parts.pairs)]
    which = chance.randrange(2)
    counts[which] = chance.choice((*NUMBERS, counts[which] - 1, counts[which] + 1))
    parts.counts = (counts[0], counts[1])


def change_version(chance: random.Random, parts: Parts) -> None:
    parts.version = chance.choice((0, 1, 2, 4, 0x03000000, (1 << 32) - 1))


def change_number(chance: random.Random, parts: Parts) -> None:
    scalars = [n for n, (_, kind, _) in enumerate(parts.pairs) if kind in LAYOUTS]
    where = chance.choice(scalars)
    key, kind, payload = parts.pairs[where]
    if LAYOUTS[kind] in "fd" or len(payload) != struct.calcsize(LAYOUTS[kind]) or chance.random() < 0.6:
        parts.pairs[where] = key, kind, _number(chance, kind)
    else:  # a neighbour, a multiple or a divisor of what is there
        (value,) = struct.unpack(f"<{LAYOUTS[kind]}", payload)
        changed = chance.choice((value - 1, value + 1, value * 2, value // 2, value * 3, -value))
        parts.pairs[where] = key, kind, packed(LAYOUTS[kind], changed)


def change_value(chance: random.Random, parts: Parts) -> None:
    where = chance.randrange(len(parts.pairs))
    parts.pairs[where] = parts.pairs[where][0], *_any_value(chance)


def retag_value(chance: random.Random, parts: Parts) -> None:
    where = chance.randrange(len(parts.pairs))
    key, _, payload = parts.pairs[where]
    parts.pairs[where] = key, chance.choice((*LAYOUTS, STRING, ARRAY, 13, 255)), payload


def rename_key(chance: random.Random, parts: Parts) -> None:
    where = chance.randrange(len(parts.pairs))
    key, kind, payload = parts.pairs[where]
    changed = bytearray(key)
    changed[chance.randrange(len(key))] ^= 1 << chance.randrange(8)
    other = chance.choice(parts.pairs)[0]
    parts.pairs[where] = chance.choice((bytes(changed), other, b"", key + b"\0x", key[:-1])), kind, payload


def drop_or_repeat_key(chance: random.Random, parts: Parts) -> None:
    where = chance.randrange(len(parts.pairs))
    pair = parts.pairs.pop(where)
    if chance.random() < 0.25:
        parts.pairs += [pair, pair]
    elif chance.random() < 0.2:
        parts.pairs.insert(chance.randrange(len(parts.pairs)), pair)


def add_known_key(chance: random.Random, parts: Parts) -> None:
    where = parts.find("general.architecture")
    own = parts.pairs[where][2][8:] if where is not None else b"llama"
    common = chance.random() < 0.3
    key = chance.choice(COMMON_KEYS).encode() if common else own + b"." + chance.choice(OWN_KEYS).encode()
    parts.pairs = [pair for pair in parts.pairs if pair[0] != key]
    parts.pairs.append((key, *_any_value(chance)))


def change_architecture(chance: random.Random, parts: Parts) -> None:
    name = chance.choice((*sorted(DECODERS), "bert", "t5", "clip", "nonsense")).encode()
    where = parts.find("general.architecture")
    if where is None:
        return
    old = parts.pairs[where][2][8:]
    parts.pairs[where] = b"general.architecture", STRING, text_bytes(name)
    parts.pairs = [
        (name + key[len(old) :] if key.startswith(old + b".") else key, kind, payload)
        for key, kind, payload in parts.pairs
    ]


def change_special_token(chance: random.Random, parts: Parts) -> None:
    ids = [n for n, (key, kind, _) in enumerate(parts.pairs) if key.endswith(b"_token_id") and kind == U32]
    if ids:
        where = chance.choice(ids)
        parts.pairs[where] = parts.pairs[where][0], U32, _number(chance, U32)


def damage_tokens(chance: random.Random, parts: Parts) -> None:
    where = parts.find("ggml.tokens")
    if where is None or parts.pairs[where][1] != ARRAY or parts.pairs[where][2][:4] != struct.pack("<I", STRING):
        return
    tokens = split_strings(parts.pairs[where][2])
    if not tokens:
        return
    for _ in range(chance.choice((1, 1, 3))):
        number = chance.randrange(len(tokens))
        token = tokens[number]
        other = chance.choice(tokens)
        tokens[number] = chance.choice(
            (b"", other, token + b"\0", b"\0", b"\xff\xfe", b"y" * 70_000, b" ", other + b"\0z")
        )
    if chance.random() < 0.3:
        tokens = tokens[: chance.randrange(len(tokens))]
    parts.pairs[where] = parts.pairs[where][0], ARRAY, joined_strings(tokens)


def damage_array(chance: random.Random, parts: Parts) -> None:
    names = ("ggml.scores", "ggml.token_type", "sliding_window_pattern", "rope.dimension_sections")
    where = parts.find(chance.choice(names))
    if where is None or parts.pairs[where][1] != ARRAY:
        return
    key, kind, payload = parts.pairs[where]
    element, count = struct.unpack_from("<IQ", payload)
    body = bytearray(payload[12:])
    size = struct.calcsize(LAYOUTS.get(element, "B"))
    if not count or len(body) != count * size:
        return
    for _ in range(chance.choice((1, 5, 50))):
        start = chance.randrange(count) * size
        body[start : start + size] = _number(chance, element)
    if chance.random() < 0.3:
        count = chance.randrange(count + 2)
        body = body[: count * size].ljust(count * size, b"\0")
    parts.pairs[where] = key, kind, struct.pack("<IQ", element, count) + bytes(body)


def damage_table(chance: random.Random, parts: Parts) -> None:
    """Change one field of the tensor table and leave the data where it is."""
    tensor = chance.choice(parts.tensors)
    match chance.randrange(5):
        case 0:
            tensor.shape[chance.randrange(len(tensor.shape))] = chance.choice(NUMBERS)
        case 1:
            tensor.kind = chance.choice((*range(45), 1000, (1 << 32) - 1))
        case 2:
            tensor.offset = chance.choice((*NUMBERS, tensor.offset + 32, tensor.offset - 32, tensor.offset + 1))
        case 3:
            tensor.name = chance.choice((b"", tensor.name + b"x", b"n" * 64, chance.choice(parts.tensors).name, b"\0"))
        case _:
            tensor.shape = chance.choice((tensor.shape[:-1], [*tensor.shape, 1], [*tensor.shape, 2], [], [1] * 5))


def retype_tensors(chance: random.Random, parts: Parts) -> None:
    """Give tensors another type, with the table and the data to match."""
    kind = chance.choice(tuple(TENSOR_TYPES))
    chosen = [chance.choice(parts.tensors)] if chance.random() < 0.6 else list(parts.tensors)
    for tensor in chosen:
        if tensor.shape and tensor.shape[0] % TENSOR_TYPES[kind][1] == 0:
            tensor.kind, tensor.data = kind, b""
    parts.layout()


def reshape_tensor(chance: random.Random, parts: Parts) -> None:
    tensor = chance.choice(parts.tensors)
    if not tensor.shape:
        return
    side = chance.randrange(len(tensor.shape))
    one = tensor.shape[side]
    tensor.shape[side] = chance.choice((1, max(one // 2, 1), one * 2, one + 32, 0))
    parts.layout()


def drop_or_move_tensor(chance: random.Random, parts: Parts) -> None:
    tensor = parts.tensors.pop(chance.randrange(len(parts.tensors)))
    if chance.random() < 0.5:
        parts.tensors.insert(chance.randrange(len(parts.tensors) + 1), tensor)
    parts.layout()


def add_tensor(chance: random.Random, parts: Parts) -> None:
    name = chance.choice(EXTRA_TENSORS).encode()
    like = chance.choice(parts.tensors).shape
    shape = chance.choice(([1], [4], [32], [64], [96], list(like), [64, 64], [64, 128]))
    kind = chance.choice((0, 0, 0, 1, 8, 26, 30, 40))
    if shape and shape[0] % TENSOR_TYPES[kind][1] == 0:
        parts.tensors = [tensor for tensor in parts.tensors if tensor.name != name]
        parts.tensors.append(Tensor(name, shape, kind, 0))
    parts.layout()


# The likelier a mutation is to slip through a check, the more often it is tried.
MUTATIONS: tuple[Mutation, ...] = (
    *(flip_bits, overwrite_number, truncate, change_counts, change_version),
    *(change_number, change_number, change_number, change_value, change_value, retag_value, rename_key),
    *(drop_or_repeat_key, drop_or_repeat_key, add_known_key, add_known_key, add_known_key, add_known_key),
    *(change_architecture, change_special_token, change_special_token, damage_tokens, damage_tokens, damage_array),
    *(damage_table, retype_tensors, retype_tensors, reshape_tensor, drop_or_move_tensor, add_tensor, add_tensor),
)


def mutant(seed: bytes, number: int) -> tuple[str, bytes]:
    """Give the damaged file of this number, and the names of what was done to it."""
    chance = random.Random(number)
    parts = take_apart(seed)
    done = []
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        mutation = chance.choice(MUTATIONS)
        done.append(mutation.__name__)
        data = mutation(chance, parts)
        if data is not None:
            return "+".join(done), data
    return "+".join(done), parts.write()
