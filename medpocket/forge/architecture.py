"""The demonstration model's shape: Mistral's architecture, about 11 million parameters."""

from typing import Any

CONTEXT = 1024
ROPE_THETA = 10000.0


def new_model(vocabulary: int, seed: int, layers: int = 6, hidden: int = 384, intermediate: int = 896) -> Any:
    """A MistralForCausalLM with random weights, tied embeddings and heads of 64, two of them for keys and values."""
    import torch
    from transformers import MistralConfig, MistralForCausalLM

    torch.manual_seed(seed)
    config = MistralConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=intermediate,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 64,
        num_key_value_heads=2,
        head_dim=64,
        max_position_embeddings=CONTEXT,
        rope_parameters={"rope_type": "default", "rope_theta": ROPE_THETA},
        sliding_window=None,
        tie_word_embeddings=True,
        rms_norm_eps=1e-5,
        bos_token_id=1,
        eos_token_id=2,
    )
    return MistralForCausalLM(config)
