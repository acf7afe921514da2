"""Measure MedPocket's engine in this process, and print one line of JSON. `against_llama_cpp.py` runs it.

    python tests/benchmarks/engine_rates.py MODEL.gguf PROMPT_TOKENS ANSWER_TOKENS THREADS

As in llama-bench, a prompt of the same length is read first and not counted. The answer is decoded after the whole
prompt (llama-bench: `-d PROMPT_TOKENS`), with MedPocket's default sampling.
"""

import dataclasses
import json
import sys
from pathlib import Path

from medpocket.engine import load_engine
from medpocket.engine.cancel import Cancellation
from medpocket.engine.prompt import Prompt
from medpocket.engine.protocol import Engine
from medpocket.types import Generated, Sampling, Turn

TEXT = (
    "The optic nerve carries what the retina has seen to the brain. Where the pressure inside the eye is too high "
    "for too long, its fibres die, those of the outer field first, and the patient notices nothing for years. "
)
SEEDS = 100


def answer(engine: Engine, prompt: Prompt, *, tokens: int, seed: int = 0) -> Generated:
    """Read `prompt` and answer at most `tokens`."""
    *_, last = engine.generate(prompt, dataclasses.replace(Sampling(), max_tokens=tokens, seed=seed), Cancellation())
    if not isinstance(last, Generated):
        sys.exit(f"engine_rates: the engine ended with {type(last).__name__}, not Generated")
    return last


def some_tokens(engine: Engine, count: int, *, skipped: int = 0) -> Prompt:
    """`count` token ids of running text, as the model's own template begins it but for the `skipped` first."""
    text = TEXT
    while len(prompt := engine.encode([Turn("user", text)])) < count + skipped:
        text += text
    return Prompt(prompt.ids[skipped : count + skipped], (count,))


def decode_rate(engine: Engine, prompt: Prompt, *, tokens: int) -> float:
    """Tokens per second, over as many answers of at most `tokens` as it takes to decode `tokens` - 1."""
    decoded, seconds = 0, 0.0
    for seed in range(SEEDS):
        given = answer(engine, prompt, tokens=tokens, seed=seed)
        # The mark of the end is decoded like any other token, and is not one of the answer's.
        decoded += given.stats.answer_tokens - (given.stop != "end")
        seconds += given.stats.decode_s
        if decoded >= tokens - 1:
            return decoded / seconds
    sys.exit(f"engine_rates: {SEEDS} answers had {decoded} tokens together: the model ends its answers at once")


def main() -> None:
    path, (prompt_tokens, answer_tokens, threads) = sys.argv[1], map(int, sys.argv[2:])
    engine = load_engine(Path(path), threads=threads)
    if prompt_tokens + answer_tokens > engine.model.context:
        sys.exit(f"engine_rates: the context holds {engine.model.context} tokens: give a smaller --prompt-tokens")
    # Has no beginning in common with what is measured.
    answer(engine, some_tokens(engine, prompt_tokens, skipped=1), tokens=1)
    prompt = some_tokens(engine, prompt_tokens)
    read = answer(engine, prompt, tokens=1)
    if read.stats.evaluated_tokens != prompt_tokens:
        sys.exit(f"engine_rates: {read.stats.evaluated_tokens} tokens were evaluated, not {prompt_tokens}")
    decoded = decode_rate(engine, prompt, tokens=answer_tokens)
    import llama_cpp

    print(
        json.dumps(
            {
                "prefill": read.stats.prefill_rate,
                "decode": decoded,
                "threads": engine.model.threads,
                "system_info": llama_cpp.llama_print_system_info().decode(),
            }
        )
    )
    engine.close()


if __name__ == "__main__":
    main()
