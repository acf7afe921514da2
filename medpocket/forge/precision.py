"""The numbers that training computes in."""

from typing import Any


def autocast(device: Any) -> Any:
    """A context in which matrix products are bfloat16's where the device computes them; float32's elsewhere.

    A CPU without instructions for bfloat16 emulates it, many times more slowly than it computes float32.
    """
    import torch

    able = device.type != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=able)
