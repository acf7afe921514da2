"""How long a key press takes to be on the screen while an answer streams, and what the app costs the decoding.

Usage: python tests/benchmarks/app_keys.py MODEL [TOKENS [ROUNDS]]

Asks MODEL for TOKENS tokens (default 64), in rounds: through the engine alone, in the app while nobody types, and in
the app while letters are typed as fast as they are shown, which is many times what a hand does. A key is measured from
its arrival in the app to the refresh that shows it. Exits with 1 where a bound does not hold: 50 ms for the 99th
percentile of the keys, 0.97 for the rate in the app over that of the engine alone.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

KEY_S = 0.05
LEAST = 0.97
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


def in_the_engine() -> float:
    """Return the decode rate of the same question without the app."""
    from medpocket.engine.cancel import Cancellation
    from medpocket.tui.services.engine_thread import LoadModel
    from medpocket.tui.services.loading import load_installed
    from medpocket.types import Finished

    loaded = load_installed(LoadModel(), lambda _message: None)
    rate = 0.0
    for event in loaded.assistant.ask(QUESTION, Cancellation()):
        if isinstance(event, Finished):
            rate = event.stats.decode_rate
    loaded.engine.close()
    return rate


def main() -> int:
    """Print percentiles and the ratios of the rates."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
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
            alone = in_the_engine()
            _, untouched = asyncio.run(in_the_app(typing=False))
            times, typed = asyncio.run(in_the_app(typing=True))
            keys += times
            idle.append(untouched / alone)
            typing.append(typed / alone)
            print(f"alone {alone:.2f} tokens/s, in the app {untouched:.2f}, while keys are typed {typed:.2f}")
    keys.sort()
    p99 = keys[min(len(keys) - 1, round(len(keys) * 0.99))]
    print(f"{len(keys)} keys: median {statistics.median(keys) * 1000:.1f} ms, 99th percentile {p99 * 1000:.1f} ms")
    ratio = statistics.median(idle)
    print(f"the app over the engine alone: {ratio:.3f}; while keys are typed {statistics.median(typing):.3f}")
    return 0 if p99 <= KEY_S and ratio >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
