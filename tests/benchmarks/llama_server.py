"""Run llama.cpp's own server beside MedPocket, for comparison."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import gguf
from measure import BenchmarkError

LOADING_AT_MOST_S = 300
INVOCATION = "adapter.alora.invocation_tokens"
BEST = 10


@dataclass(frozen=True)
class Completion:
    """An answer of the server. `best` are the log probabilities of the likeliest first tokens, by token id."""

    text: str
    evaluated: int
    best: dict[int, float]

    def distance(self, other: "Completion") -> float:
        """Largest difference among the first tokens that both have, in nats."""
        return max(abs(self.best[token] - other.best[token]) for token in self.best.keys() & other.best.keys())


class LlamaServer:
    """One server with one slot, on a free port of the loopback interface."""

    def __init__(self, program: Path, model: Path, adapters: Sequence[Path], threads: int) -> None:
        if not program.is_file():
            raise BenchmarkError(f"no {program.name} in {program.parent}: build_llama_cpp.py --target {program.name}")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        loras = [part for path in adapters for part in ("--lora", str(path))]
        self._command = [
            *(str(program), "-m", str(model), "-c", "2048", "-np", "1", "-t", str(threads), "--no-repack"),
            *("--host", "127.0.0.1", "--port", str(self._port), "--lora-init-without-apply", *loras),
        ]

    def __enter__(self) -> "LlamaServer":
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + LOADING_AT_MOST_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self._request("/health")
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.2)
            else:
                return self
        self.__exit__(None, None, None)
        raise BenchmarkError(f"llama-server does not come up: {' '.join(self._command)[:300]}")

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()

    def complete(self, prompt: Sequence[int], *, adapter: int, tokens: int) -> Completion:
        """Answer token ids greedily under the adapter of that number alone, with the server's prompt cache on."""
        body = {
            "prompt": list(prompt),
            "n_predict": tokens,
            "temperature": 0,
            "cache_prompt": True,
            "n_probs": BEST,
            "lora": [{"id": adapter, "scale": 1.0}],
        }
        answer = self._request("/completion", body)
        first = answer["completion_probabilities"][0]["top_logprobs"]
        best = {one["id"]: one["logprob"] for one in first}
        return Completion(answer["content"], answer["timings"]["prompt_n"], best)

    def _request(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}{path}", data)
        with urllib.request.urlopen(request, timeout=600) as answer:
            found: dict[str, Any] = json.load(answer)
            return found


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
