"""How long a key press takes to be on the screen while an answer streams, and what the app costs the decoding.

Usage: python tests/benchmarks/app_keys.py MODEL [TOKENS [ROUNDS]]

Asks MODEL for TOKENS tokens (default 64), in rounds: with `medpocket ask`, in the app while nobody types, and in the
app while letters are typed as fast as they are shown, which is many times what a hand does. Each is a process of its
own: OpenMP waits otherwise where another thread of the process computed before. A key is measured from its arrival in
the app to the refresh that shows it. Exits with 1 where a bound does not hold: 50 ms for the 99th percentile of the
keys, 0.97 for the rate in the app over that of `medpocket ask`.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KEY_S = 0.05
LEAST = 0.97
_IDLE, _TYPING = "--idle", "--typing"  # how a process of its own is told what to measure
QUESTION = "Explain in detail what glaucoma is, how it is found, and how it is treated."


async def in_the_app(*, typing: bool) -> tuple[list[float], float]:
    """Return the seconds of each key press, and the decode rate in tokens/s."""
    from medpocket.tui.app import MedpocketApp
    from medpocket.tui.services.loading import load_installed
    from medpocket.tui.widgets.question_box import QuestionBox

    app = MedpocketApp(load_installed)
    times: list[float] = []
    async with app.run_test(size=(120, 40)):
        app.take_over_process()
        while app.chat.status.model is None:
            await asyncio.sleep(0.1)
        box = app.chat.query_one(QuestionBox)
        box.insert(QUESTION)
        app.simulate_key("enter")
        while not app.chat.conversation.leaf:
            await asyncio.sleep(0)
        while app.chat.conversation.open:
            if not typing:
                await asyncio.sleep(0.5)
                continue
            await asyncio.sleep(0.02)
            shown = asyncio.Event()
            before, started = len(box.text), time.perf_counter()
            app.simulate_key("x")
            while len(box.text) == before:
                await asyncio.sleep(0)
            app.call_after_refresh(shown.set)
            await shown.wait()
            times.append(time.perf_counter() - started)
        leaf = app.chat.conversation.leaf
        assert leaf and leaf.stats, leaf and leaf.error and leaf.error.message
        return times, leaf.stats.decode_rate


def asked() -> float:
    """Return the decode rate of `medpocket ask`."""
    command = [sys.executable, "-m", "medpocket", "ask", "--json", QUESTION]
    answer = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return float(answer["data"]["stats"]["decode_tokens_per_s"])


def app(*, typing: bool) -> tuple[list[float], float]:
    """Return what `in_the_app` measures, in a process of its own."""
    command = [sys.executable, __file__, _TYPING if typing else _IDLE]
    times, rate = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return times, rate


def main() -> int:
    """Print percentiles and the ratios of the rates."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if sys.argv[1] in (_IDLE, _TYPING):
        print(json.dumps(asyncio.run(in_the_app(typing=sys.argv[1] == _TYPING))))
        return 0
    model, tokens, rounds = sys.argv[1], *[*map(int, sys.argv[2:]), *[64, 3][len(sys.argv) - 2 :]]
    keys: list[float] = []
    idle: list[float] = []
    typing: list[float] = []
    with tempfile.TemporaryDirectory() as home:
        os.environ["MEDPOCKET_HOME"] = home
        (Path(home) / "config").mkdir()
        settings = f'model = "{Path(model).resolve()}"\nmax_tokens = {tokens}\nseed = 1\ncontext = 1024\n'
        (Path(home) / "config" / "config.toml").write_text(settings, encoding="utf-8")
        for _ in range(rounds):
            alone = asked()
            _, untouched = app(typing=False)
            times, typed = app(typing=True)
            keys += times
            idle.append(untouched / alone)
            typing.append(typed / alone)
            print(f"asked {alone:.2f} tokens/s, in the app {untouched:.2f}, while keys are typed {typed:.2f}")
    keys.sort()
    p99 = keys[min(len(keys) - 1, round(len(keys) * 0.99))]
    print(f"{len(keys)} keys: median {statistics.median(keys) * 1000:.1f} ms, 99th percentile {p99 * 1000:.1f} ms")
    ratio = statistics.median(idle)
    print(f"the app over `medpocket ask`: {ratio:.3f}; while keys are typed {statistics.median(typing):.3f}")
    return 0 if p99 <= KEY_S and ratio >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
