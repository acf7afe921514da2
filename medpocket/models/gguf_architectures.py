"""Which architectures generate text, and what llama.cpp expects of the ones that are common.

Read in llama.cpp 0c1e57098 (the sources inside llama-cpp-python 0.3.36): `src/llama-arch.cpp` for the names,
`src/models/*.cpp` for shapes and for what aborts the process instead of failing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

EMBEDDER = "an embedding model: it compares texts and writes none"
SPEECH = "a speech model"
DIFFUSION = "a diffusion language model, which is run in another way"
DRAFT = "a draft model, which only helps another one"
PICTURES = "a model that makes pictures or video"
IMAGE_ENCODER = "an image encoder, half of a model that sees"

NOT_DECODERS: Mapping[str, str] = {
    "clip": IMAGE_ENCODER,
    **dict.fromkeys(("bert", "modern-bert", "nomic-bert", "nomic-bert-moe", "neo-bert"), EMBEDDER),
    **dict.fromkeys(("jina-bert-v2", "jina-bert-v3", "eurobert", "gemma-embedding", "llama-embed"), EMBEDDER),
    "t5": "an encoder-decoder model",
    "t5encoder": "a text encoder, half of a T5 model",
    **dict.fromkeys(("wavtokenizer-dec", "qwen3tts", "pockettts"), SPEECH),
    "whisper": "a speech recogniser",
    **dict.fromkeys(("dream", "llada", "llada-moe", "rnd1"), DIFFUSION),
    **dict.fromkeys(("eagle3", "dflash", "gemma4-assistant"), DRAFT),
    **dict.fromkeys(("flux", "sd1", "sd3", "sdxl", "wan", "ltxv", "hyvid", "qwen_image", "lumina2"), PICTURES),
    "controlvector": "a control vector, which only steers another model",
    "gptj": "a GPT-J model, which llama.cpp never learned to run",
}

_DECODERS = """
    afmoe apertus arcee arctic arwkv7 baichuan bailingmoe bailingmoe2 bailingmoe3 bitnet bloom chameleon chatglm
    codeshell cogvlm cohere2 cohere2moe command-r dbrx deci deepseek deepseek2 deepseek2-ocr deepseek32 deepseek4 dots1
    dots3note ernie4_5 ernie4_5-moe exaone exaone-moe exaone4 falcon falcon-h1 gemma gemma2 gemma3 gemma3n gemma4
    glm-dsa glm4 glm4moe glm5-next gpt-oss gpt2 gptneox granite granite_swa granitehybrid granitemoe graniteswitch grok
    grovemoe hrm_text hunyuan-dense hunyuan-moe hunyuan_vl hy_v3 hy_v4 internlm2 jais jais2 jamba kimi-k3 kimi-linear
    laguna lfm2 lfm2moe llama llama4 maincoder mamba mamba2 maple mellum mimo2 minicpm minicpm3 minimax-01 minimax-m2
    minimax-m3 mistral3 mistral4 mpt muse-glimmer nanbeige nemotron nemotron_h nemotron_h_moe olmo olmo2 olmoe openelm
    orion paddleocr pangu-embedded phi2 phi3 phimoe plamo plamo2 plamo3 plm qwen qwen2 qwen2moe qwen2vl qwen3 qwen35
    qwen35moe qwen3moe qwen3next qwen3vl qwen3vlmoe qwen4exp refact rwkv6 rwkv6qwen2 rwkv7 seed_oss smallthinker smollm3
    spark2_5 stablelm starcoder starcoder2 step35 talkie xverse
"""
DECODERS = frozenset(_DECODERS.split())

# Their graphs assert that a head is rotated as a whole and that keys and values are equally long.
_WHOLE_HEAD_ROPE = """
    apertus arcee arctic baichuan chameleon codeshell cogvlm cohere2moe dbrx deci deepseek dots1 ernie4_5 ernie4_5-moe
    exaone exaone-moe exaone4 falcon granite granite_swa granitemoe graniteswitch grok grovemoe hunyuan-dense
    hunyuan-moe hunyuan_vl hy_v3 internlm2 jais2 llama llama4 maincoder mellum minicpm mistral3 nemotron olmo olmo2
    olmoe orion paddleocr pangu-embedded plamo qwen2 qwen2moe qwen2vl qwen3 qwen3moe qwen3vl qwen3vlmoe seed_oss
    smallthinker smollm3 starcoder2 talkie xverse
"""
WHOLE_HEAD_ROPE = frozenset(_WHOLE_HEAD_ROPE.split())

# Their matrices have the shapes that follow when all heads together are as long as an embedding, whatever it says.
_HEADS_FILL_EMBEDDING = """
    arctic baichuan bitnet bloom chameleon chatglm codeshell cohere2 command-r dbrx deepseek deepseek2-ocr exaone4
    falcon gpt2 gptneox grok internlm2 jais jamba lfm2 lfm2moe mpt nemotron olmo olmo2 olmoe orion phi2 phi3 phimoe
    plamo qwen qwen2 qwen2moe qwen2vl stablelm starcoder starcoder2 xverse
"""
HEADS_FILL_EMBEDDING = frozenset(_HEADS_FILL_EMBEDDING.split())

# Positions are not told by rotation there; elsewhere a rotation of no elements never ends.
_WITHOUT_ROPE = """
    arwkv7 bloom glm5-next gpt2 jais jamba kimi-k3 kimi-linear mamba mamba2 mpt nemotron_h nemotron_h_moe refact rwkv6
    rwkv6qwen2 rwkv7
"""
WITHOUT_ROPE = frozenset(_WITHOUT_ROPE.split())

# They rotate by several positions at once and assert that the sections of a head are told.
SECTIONED_ROPE = frozenset(("paddleocr", "qwen2vl", "qwen3vl", "qwen3vlmoe", "qwen35", "qwen35moe", "qwen4exp"))

# They assert that they have experts.
NEEDS_EXPERTS = frozenset(("bailingmoe2", "glm4moe", "grovemoe", "lfm2moe", "smallthinker"))


@dataclass(frozen=True)
class Family:
    """What a decoder of Llama's build has beyond, or other than, Llama itself.

    extra_norms: norms of each layer besides `attn_norm` and `ffn_norm`, as long as an embedding.
    head_norms: queries and keys are normalized, by `attn_q_norm` and `attn_k_norm`.
    joined_gate: gate and up are one matrix, `ffn_up`.
    experts: mixtures of experts exist.
    window_every: every nth layer attends to everything, the others to a sliding window; 0 without windows.
    """

    extra_norms: tuple[str, ...] = ()
    head_norms: bool = False
    joined_gate: bool = False
    experts: bool = False
    window_every: int = 0


# Architectures whose every tensor is checked. The others are checked for what all have in common.
FAMILIES: Mapping[str, Family] = {
    "llama": Family(experts=True),
    "mistral3": Family(experts=True),
    "smollm3": Family(),
    "qwen2": Family(),
    "qwen3": Family(head_norms=True),
    "phi3": Family(joined_gate=True),
    "gemma": Family(),
    "gemma2": Family(extra_norms=("post_attention_norm", "post_ffw_norm"), window_every=2),
    "gemma3": Family(extra_norms=("post_attention_norm", "post_ffw_norm"), head_norms=True, window_every=6),
}
