"""llama.cpp's own server beside MedPocket, for comparison, on a socket in the file system: no network is opened."""

import http.client
import json
import socket
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from medpocket.errors import BenchmarkError
from medpocket.evaluation.bench.processes import reap, start
from medpocket.models.gguf_kinds import shown

LOADING_AT_MOST_S, ANSWERING_AT_MOST_S = 300, 600
_ASK_AGAIN_S = 0.01


@dataclass(frozen=True)
class Completion:
    """An answer of the server. `best` are the log probabilities of the likeliest first tokens, by token id."""

    ids: tuple[int, ...]
    evaluated: int
    first_token_s: float
    best: dict[int, float]

    def distance(self, other: "Completion") -> float:
        """Largest difference among the first tokens that both have, in nats."""
        return max(abs(self.best[token] - other.best[token]) for token in self.best.keys() & other.best.keys())


class LlamaServer:
    """One server with one slot. `ready_s` is from its start until it can be asked."""

    def __init__(
        self,
        program: Path,
        model: Path,
        *,
        threads: int,
        context: int,
        batch: int = 512,
        gpu_layers: int = 0,
        repack: bool = False,
        adapters: Sequence[Path] = (),
    ) -> None:
        """Raises BenchmarkError where the system has no such sockets."""
        if not hasattr(socket, "AF_UNIX"):
            raise BenchmarkError("llama-server is measured on Linux and macOS alone", "leave it out")
        # The name of such a socket may have about 100 characters: not in a user's own folder.
        self._folder = tempfile.TemporaryDirectory(prefix="medpocket-")
        self._socket = str(Path(self._folder.name) / "llama.sock")
        loras = [part for path in adapters for part in ("--lora", str(path))]
        self._command = [
            *(str(program), "-m", str(model), "-c", str(context), "-np", "1", "-t", str(threads)),
            *("-b", str(batch), "-ub", str(batch), "-ngl", str(gpu_layers), "--repack" if repack else "--no-repack"),
            *("--host", self._socket, *(["--lora-init-without-apply", *loras] if loras else [])),
        ]
        self.ready_s = 0.0
        self.peak_bytes = 0.0

    def __enter__(self) -> "LlamaServer":
        self._errors = tempfile.TemporaryFile()
        started = time.perf_counter()
        self._process = start(self._command, errors=self._errors)
        assert self._process.stdout is not None
        self._process.stdout.close()
        try:
            while time.perf_counter() - started < LOADING_AT_MOST_S and self._process.poll() is None:
                if self._is_ready():
                    self.ready_s = time.perf_counter() - started
                    return self
                time.sleep(_ASK_AGAIN_S)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        said = " / ".join(self.said().strip().splitlines()[-2:])
        self.__exit__(None, None, None)
        raise BenchmarkError(f"llama-server does not come up: {shown(said, 300)}", "run it by itself to see more")

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._process.returncode is None:
            self._process.kill()
            self.peak_bytes = reap(self._process)[1]
        self._errors.close()
        self._folder.cleanup()

    def said(self) -> str:
        """What it wrote to stderr until now."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")

    def complete(self, prompt: Sequence[int], *, tokens: int, adapter: int | None = None, best: int = 0) -> Completion:
        """Answer token ids greedily, under the adapter of that number alone, with the server's prompt cache on.

        Raises BenchmarkError.
        """
        body: dict[str, Any] = {
            "prompt": list(prompt),
            "n_predict": tokens,
            "temperature": 0,
            "cache_prompt": True,
            "stream": True,
            **({"n_probs": best} if best else {}),
            **({"lora": [{"id": adapter, "scale": 1.0}]} if adapter is not None else {}),
        }
        started, first_token = time.perf_counter(), 0.0
        ids: list[int] = []
        likeliest: dict[int, float] = {}
        try:
            connection = self._connection(ANSWERING_AT_MOST_S)
            connection.request("POST", "/completion", json.dumps(body), {"Content-Type": "application/json"})
            for line in connection.getresponse():
                if not line.startswith(b"data: "):
                    continue
                piece = json.loads(line[6:])
                first_token = first_token or time.perf_counter()
                ids += piece.get("tokens", [])
                if not likeliest and piece.get("completion_probabilities"):
                    top = piece["completion_probabilities"][0]["top_logprobs"]
                    likeliest = {one["id"]: one["logprob"] for one in top}
                if piece.get("stop"):
                    connection.close()
                    return Completion(tuple(ids), piece["timings"]["prompt_n"], first_token - started, likeliest)
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
            raise BenchmarkError(
                f"llama-server gave no answer that can be read ({type(error).__name__})", "leave it out"
            ) from None
        raise BenchmarkError("llama-server broke off its answer", "leave it out")

    def _is_ready(self) -> bool:
        try:
            connection = self._connection(LOADING_AT_MOST_S)
            connection.request("GET", "/health")
            ready = connection.getresponse().status == http.client.OK
            connection.close()
            return ready
        except (OSError, http.client.HTTPException):
            return False

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        return _SocketConnection(self._socket, timeout)


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
