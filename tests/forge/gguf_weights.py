"""The weights of a GGUF file in a torch model: the way back from what the export does."""

from pathlib import Path
from typing import Any

import gguf
import torch

from medpocket.forge.architecture import new_model
from medpocket.forge.gguf_export import tensor_name


def unpermuted(rows: Any, heads: int) -> Any:
    size = rows.shape[0] // heads
    return rows.reshape(heads, size // 2, 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def torch_model(path: Path) -> Any:
    """A model of the demonstration model's shape with the (dequantized) weights of `path`."""
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    model = new_model(tensors["token_embd.weight"].data.shape[0], seed=0)
    heads = {"attn_q": model.config.num_attention_heads, "attn_k": model.config.num_key_value_heads}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            tensor = tensors.pop(tensor_name(name))
            values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
            part = tensor.name.split(".")[-2]
            parameter.copy_(torch.tensor(unpermuted(values, heads[part]) if part in heads else values))
    assert not tensors
    return model.eval()
