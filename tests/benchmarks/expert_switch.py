"""Measure what experts cost on a model of real size: beside a decode, at a switch, and through llama-server.

    python tests/benchmarks/expert_switch.py MODEL.gguf ADAPTER.gguf ADAPTER.gguf [--tools FOLDER] [--rounds K] [--json]

Both adapters are activated ones. Three parts, each on its own with --only: `decode` (the rate with 16 adapters
resident, and with one active, against an engine without any), `switch` (the call, and what is evaluated after 1,500
tokens of conversation) and `server` (the same conversation through llama-server's per-request LoRA, with the
activation key and without it). Exit code 1 when a bound is missed. Build the server with
`build_llama_cpp.py --target llama-server`.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import gguf
from bounds import Check, check, table
from build_llama_cpp import BuildError, default_folder, programs_folder

from medpocket.engine import load_engine
from medpocket.engine.cancel import Cancellation
from medpocket.engine.prompt import Prompt
from medpocket.engine.protocol import AdapterFile, Scaled
from medpocket.errors import BenchmarkError
from medpocket.evaluation.bench.engine_process import TEXT, answer
from medpocket.evaluation.bench.llama_server import LlamaServer
from medpocket.experts.adapter import read_adapter
from medpocket.types import Generated, Sampling, Turn

PARTS = ("decode", "switch", "server")
RESIDENT = 16
RESIDENT_AT_LEAST, ACTIVE_AT_LEAST = 0.99, 0.93
SWITCH_AT_MOST_MS = 1.0
NEW_TOKENS_AT_MOST = 60
CONVERSATION_TOKENS = 1500
ANSWER_TOKENS = 32
INVOCATION = "adapter.alora.invocation_tokens"
BEST = 10  # of the first token's candidates are compared
QUESTION = "And which of these would you give a patient who is pregnant?"
GREEDY = Sampling(temperature=0.0, max_tokens=ANSWER_TOKENS, seed=1)


@dataclass(frozen=True)
class Bench:
    """What the parts share."""

    model: Path
    adapters: tuple[AdapterFile, ...]
    tools: Path
    threads: int
    rounds: int

    def engine(self, context: int = 2048):
        return load_engine(self.model, context=context, threads=self.threads)


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def measure_decode(bench: Bench) -> list[Check]:
    """Tokens a second after a short prompt, in rounds of one engine without adapters and one with all."""
    bare, full = bench.engine(512), bench.engine(512)
    prompt = bare.encode([Turn("user", TEXT)])
    # As many handles as experts, each with memory of its own; two files are enough for that.
    many = [Scaled(replace(bench.adapters[n % 2], sha256=f"{n:064d}")) for n in range(RESIDENT)]
    for one in many:
        spent(full, prompt, [one], tokens=1)
    rates: dict[str, list[float]] = {"none": [], "resident": [], "active": []}
    for number in range(bench.rounds):
        progress(f"decode, round {number + 1} of {bench.rounds}")
        rates["none"].append(spent(bare, prompt, [], tokens=ANSWER_TOKENS).stats.decode_rate)
        rates["resident"].append(spent(full, prompt, [], tokens=ANSWER_TOKENS).stats.decode_rate)
        rates["active"].append(spent(full, prompt, many[:1], tokens=ANSWER_TOKENS).stats.decode_rate)
    bare.close()
    full.close()
    label = "decode with {} against no adapter"
    return [
        check(
            label.format(f"{RESIDENT} resident"), "tokens/s", rates["resident"], rates["none"],
            at_least=RESIDENT_AT_LEAST,
        ),
        check(label.format("one active"), "tokens/s", rates["active"], rates["none"], at_least=ACTIVE_AT_LEAST),
    ]  # fmt: skip


def spent(engine, prompt: Prompt, adapters: list[Scaled], *, tokens: int) -> Generated:
    return answer(engine, prompt, replace(GREEDY, max_tokens=tokens), adapters)


def conversation(engine) -> list[Turn]:
    """One long turn of a user's, so that the next question comes after about 1,500 tokens."""
    text = TEXT
    while len(engine.encode([Turn("user", text)])) < CONVERSATION_TOKENS - ANSWER_TOKENS:
        text += TEXT
    return [Turn("user", text)]


def measure_switch(bench: Bench) -> list[Check]:
    """The call in milliseconds, and tokens evaluated for the first question of another expert."""
    engine = bench.engine()
    first, second = ([Scaled(file)] for file in bench.adapters)
    turns = conversation(engine)
    evaluated: dict[str, list[float]] = {"read in idle time": [], "no idle time": []}
    beyond: list[float] = []
    for idle in (True, False):
        progress("switch, " + ("with" if idle else "without") + " idle time")
        given = spent(engine, engine.encode(turns), first, tokens=ANSWER_TOKENS)
        if idle:
            engine.read_answer(Cancellation())
        asked = [*turns, Turn("assistant", given.text, given.ids), Turn("user", QUESTION)]
        found = spent(engine, engine.encode(asked), second, tokens=ANSWER_TOKENS)
        evaluated["read in idle time" if idle else "no idle time"].append(found.stats.evaluated_tokens)
        if not idle:
            beyond.append(found.stats.evaluated_tokens - given.stats.answer_tokens)
        cold = bench.engine()
        again = spent(cold, cold.encode(asked), second, tokens=ANSWER_TOKENS)
        cold.close()
        if again.ids != found.ids:
            raise BenchmarkError("the answer after the switch is not the one of a cold run", "this is a defect")
    calls = [call for _ in range(50) for call in activation_ms(engine, first, second)]
    engine.close()
    label = f"tokens evaluated at a switch after {CONVERSATION_TOKENS}"
    return [
        check("switching the active adapter", "ms", [statistics.median(calls)], at_most=SWITCH_AT_MOST_MS),
        check(f"{label}, answer read in idle time", "tokens", evaluated["read in idle time"],
              at_most=NEW_TOKENS_AT_MOST),
        check(f"{label}, beside the last answer", "tokens", beyond, at_most=NEW_TOKENS_AT_MOST),
    ]  # fmt: skip


def activation_ms(engine, *sets: list[Scaled]) -> list[float]:
    """The call alone, which the engine makes between two batches."""
    adapters = engine._opened()
    times = []
    for wanted in sets:
        started = time.perf_counter()
        adapters.activate(tuple(wanted))
        times.append((time.perf_counter() - started) * 1000)
    return times


def measure_server(bench: Bench) -> list[Check]:
    """The same two questions through llama-server: tokens it evaluates for the second, and whether it is exact."""
    engine = bench.engine()
    turns = conversation(engine)
    prompt = engine.encode(turns).ids
    given = spent(engine, engine.encode(turns), [Scaled(bench.adapters[0])], tokens=ANSWER_TOKENS).ids
    asked = engine.encode([*turns, Turn("assistant", "", given), Turn("user", QUESTION)]).ids
    engine.close()
    checks = []
    with tempfile.TemporaryDirectory() as folder:
        plain = [without_invocation(file.path, Path(folder)) for file in bench.adapters]
        for name, files in (("with", [file.path for file in bench.adapters]), ("without", plain)):
            progress(f"llama-server, adapters {name} the activation key")
            server_of = partial(
                LlamaServer,
                bench.tools / "llama-server",
                bench.model,
                threads=bench.threads,
                context=2048,
                adapters=files,
            )
            with server_of() as server:
                server.complete(prompt, adapter=0, tokens=ANSWER_TOKENS)
                switched = server.complete(asked, adapter=1, tokens=ANSWER_TOKENS, best=BEST)
            with server_of() as server:
                cold = server.complete(asked, adapter=1, tokens=ANSWER_TOKENS, best=BEST)
            label = f"llama-server, adapters {name} the key"
            checks += [
                check(f"{label}: evaluated at the switch", "tokens", [switched.evaluated]),
                check(f"{label}: largest difference from its own cold run, best tokens' log probability", "nats",
                      [switched.distance(cold)]),
                check(f"{label}: answers equal (1) or not (0)", "", [float(switched.ids == cold.ids)]),
            ]  # fmt: skip
    return checks


def without_invocation(path: Path, folder: Path) -> Path:
    """A copy of an adapter as an ordinary one."""
    reader = gguf.GGUFReader(path)
    copy = folder / path.name
    writer = gguf.GGUFWriter(copy, "llama")
    for field in reader.fields.values():
        if field.name not in (INVOCATION, "general.architecture") and not field.name.startswith("GGUF."):
            writer.add_key_value(field.name, field.contents(), field.types[0])
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return copy


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("adapters", type=Path, nargs=2, metavar="ADAPTER.gguf", help="activated by this model's marker")
    parser.add_argument("--tools", type=Path, help="the folder that build_llama_cpp.py printed")
    parser.add_argument("--threads", type=int, default=2, help="(default: 2)")
    parser.add_argument("--rounds", type=int, default=5, help="of decode (default: 5)")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts to measure")
    parser.add_argument("--json", action="store_true", help="print JSON with every value, not a table")
    return parser.parse_args()


def main() -> int:
    arguments = read_arguments()
    measures = {"decode": measure_decode, "switch": measure_switch, "server": measure_server}
    try:
        found = [read_adapter(path) for path in arguments.adapters]
        tools = arguments.tools or programs_folder(default_folder())
        files = tuple(adapter.file for adapter in found)
        bench = Bench(arguments.model, files, tools, arguments.threads, arguments.rounds)
        checks = [check for part in arguments.only for check in measures[part](bench)]
    except (BenchmarkError, BuildError) as error:
        print(f"expert_switch: {error}", *getattr(error, "hint", "").splitlines(), sep="\n", file=sys.stderr)
        return 2
    print(json.dumps([check.as_json() for check in checks], indent=1) if arguments.json else table(checks))
    return 1 if any(check.met is False for check in checks) else 0


if __name__ == "__main__":
    sys.exit(main())
