"""Write a Mistral-shaped torch model and its tokenizer as one GGUF file of architecture `llama`."""

import os
from pathlib import Path
from typing import Any

from medpocket.experts.peft_folder import permuted
from medpocket.forge.tokenizer import BEGIN, CONTROL_TEXTS, END, UNKNOWN, Tokenizer
from medpocket.models.gguf_file import DEMONSTRATION_KEY

CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
    "[INST]{{ message['content'] }}[/INST]{% elif message['role'] == 'assistant' %}"
    "{{ message['content'] }}{{ eos_token }}{% endif %}{% endfor %}"
)
NAME = "MedPocket demonstration model"
DESCRIPTION = (
    "A very small language model that shows that MedPocket works. It is no clinical model: what it says is often "
    "wrong and must not be used for care."
)
SOURCES = (
    "Trained from random weights on MedQuAD (https://github.com/abachaa/MedQuAD) and OpenStax Anatomy and "
    "Physiology 2e, both CC BY 4.0, cleaned, shortened and rephrased."
)
BLOCK = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def tensor_name(name: str) -> str:
    """The GGUF name of a parameter of MistralForCausalLM. Raises KeyError for one that has none."""
    if name in ("model.embed_tokens.weight", "model.norm.weight"):
        return {"embed": "token_embd.weight", "norm.": "output_norm.weight"}[name[6:11]]
    layer, module = name.removeprefix("model.layers.").removesuffix(".weight").split(".", 1)
    return f"blk.{layer}.{BLOCK[module]}.weight"


def export_model(model: Any, tokenizer: Tokenizer, path: Path, matrices: str = "Q8_0") -> None:
    """Write `model` with its matrices as `matrices` (Q8_0, F16 or F32) and norms as F32; replaces `path` at the end."""
    import gguf

    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    writer = gguf.GGUFWriter(str(partial), "llama")
    try:
        _add_description(writer, model.config, matrices)
        _add_tokenizer(writer, tokenizer)
        _add_tensors(writer, model, matrices)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.flush()
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        writer.close()
        partial.unlink(missing_ok=True)


def _add_description(writer: Any, config: Any, matrices: str) -> None:
    import gguf

    writer.add_type("model")
    writer.add_name(NAME)
    writer.add_description(DESCRIPTION)
    writer.add_license("apache-2.0")
    writer.add_bool(DEMONSTRATION_KEY, True)
    writer.add_string("medpocket.training_data", SOURCES)
    writer.add_languages(["en"])
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(float(config.rope_parameters["rope_theta"]))
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    file_types = {"Q8_0": "MOSTLY_Q8_0", "F16": "MOSTLY_F16", "F32": "ALL_F32"}
    writer.add_file_type(gguf.LlamaFileType[file_types[matrices]])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def _add_tokenizer(writer: Any, tokenizer: Tokenizer) -> None:
    import gguf

    pieces = tokenizer.processor
    kinds = []
    for index in range(tokenizer.size):
        if pieces.is_control(index) or pieces.id_to_piece(index) in CONTROL_TEXTS:
            kinds.append(gguf.TokenType.CONTROL)
        elif pieces.is_unknown(index):
            kinds.append(gguf.TokenType.UNKNOWN)
        else:
            kinds.append(gguf.TokenType.BYTE if pieces.is_byte(index) else gguf.TokenType.NORMAL)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([pieces.id_to_piece(index).encode() for index in range(tokenizer.size)])
    writer.add_token_scores([pieces.get_score(index) for index in range(tokenizer.size)])
    writer.add_token_types(kinds)
    writer.add_bos_token_id(BEGIN)
    writer.add_eos_token_id(END)
    writer.add_unk_token_id(UNKNOWN)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(True)
    writer.add_chat_template(CHAT_TEMPLATE)


def _add_tensors(writer: Any, model: Any, matrices: str) -> None:
    import gguf

    kind = gguf.GGMLQuantizationType[matrices]
    heads = {"q_proj": model.config.num_attention_heads, "k_proj": model.config.num_key_value_heads}
    for name, parameter in model.named_parameters():  # tied embeddings are named once
        values = parameter.detach().float().cpu().numpy()
        module = name.split(".")[-2]
        if module in heads:
            values = permuted(values, heads[module])
        if values.ndim == 1:
            writer.add_tensor(tensor_name(name), values)
        else:
            writer.add_tensor(tensor_name(name), gguf.quants.quantize(values, kind), raw_dtype=kind)
