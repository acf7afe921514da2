"""Load GGUF files with llama.cpp as the engine does, each in a process of its own, and say how each ended.

usage: gguf_probe.py, paths on stdin, one a line; for each a line on stdout: "ran", "refused", "signal 6" or "hang".
llama.cpp is imported once and forked for each file, which then costs some tens of milliseconds.
"""

import ctypes
import os
import signal
import sys
import traceback

import llama_cpp as llama

PATIENCE_S = 30
TEXTS = ("What are the symptoms of glaucoma?", "", "\n", " \x00\x01é漢🫀 <s>[/INST]</s>", bytes(range(256)))


def tokenize(vocabulary: object, text: str | bytes, markers: bool) -> list[int]:
    raw = text.encode() if isinstance(text, str) else text
    room = len(raw) + 16
    ids = (llama.llama_token * room)()
    count = llama.llama_tokenize(vocabulary, raw, len(raw), ids, room, markers, markers)
    return list(ids[: max(count, 0)])


def decode(context: object, ids: list[int], first_position: int) -> None:
    batch = llama.llama_batch_init(len(ids), 0, 1)
    batch.n_tokens = len(ids)
    for number, token in enumerate(ids):
        batch.token[number], batch.pos[number] = token, first_position + number
        batch.n_seq_id[number], batch.seq_id[number][0] = 1, 0
        batch.logits[number] = int(number == len(ids) - 1)
    llama.llama_decode(context, batch)
    llama.llama_batch_free(batch)


def sample(context: object, vocabulary: object) -> int:
    chain = llama.llama_sampler_chain_init(llama.llama_sampler_chain_default_params())
    for sampler in (
        llama.llama_sampler_init_penalties(llama.llama_vocab_n_tokens(vocabulary), 64, 1.1, 0.0, 0.0),
        llama.llama_sampler_init_top_k(40),
        llama.llama_sampler_init_top_p(0.95, 1),
        llama.llama_sampler_init_temp(0.7),
        llama.llama_sampler_init_dist(7),
    ):
        llama.llama_sampler_chain_add(chain, sampler)
    token = llama.llama_sampler_sample(chain, context, -1)
    llama.llama_sampler_free(chain)
    return int(token)


def run(path: str) -> bool:
    """Load, tokenize, decode, sample and spell every token; False where llama.cpp refuses the file."""
    parameters = llama.llama_model_default_params()
    parameters.use_extra_bufts = False
    model = llama.llama_model_load_from_file(path.encode(), parameters)
    if not model:
        return False
    settings = llama.llama_context_default_params()
    settings.n_ctx, settings.n_batch, settings.n_ubatch = 256, 64, 64
    settings.n_threads = settings.n_threads_batch = 1
    settings.n_seq_max, settings.kv_unified = 4, True
    context = llama.llama_init_from_model(model, settings)
    if not context:
        return False
    vocabulary = llama.llama_model_get_vocab(model)
    ids = [tokenize(vocabulary, text, markers) for text in TEXTS for markers in (False, True)]
    prompt = (ids[1] or [0])[:12]
    decode(context, prompt, 0)
    for position in range(2):
        decode(context, [sample(context, vocabulary)], len(prompt) + position)
    room = ctypes.create_string_buffer(256)
    for token in range(llama.llama_vocab_n_tokens(vocabulary)):
        for markers in (False, True):
            llama.llama_token_to_piece(vocabulary, token, room, len(room), 0, markers)
        llama.llama_vocab_is_eog(vocabulary, token)
    for name in ("bos", "eos", "eot", "nl"):
        getattr(llama, f"llama_vocab_{name}")(vocabulary)
    llama.llama_free(context)
    llama.llama_model_free(model)
    return True


def ending(path: str) -> str:
    """Run one file in a child and say how it ended."""
    child = os.fork()
    if not child:
        signal.alarm(PATIENCE_S)
        os.dup2(2, 1)  # nothing that llama.cpp prints when it aborts is taken for an answer
        try:
            os._exit(0 if run(path) else 3)
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(4)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return "hang" if number == signal.SIGALRM else f"signal {number}"
    return {0: "ran", 3: "refused"}.get(os.WEXITSTATUS(status), f"error {os.WEXITSTATUS(status)}")


def main() -> None:
    os.environ["GGML_NO_BACKTRACE"] = "1"  # else an abort runs gdb
    ignore = llama.llama_log_callback(lambda *_: None)
    if not os.environ.get("GGUF_PROBE_LOG"):
        llama.llama_log_set(ignore, ctypes.c_void_p(0))
    llama.llama_backend_init()
    for line in sys.stdin:
        print(ending(line.rstrip("\n")), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
