"""How long a key press takes to be on the screen while an answer streams, and what the app costs the decoding.

Usage: python tests/benchmarks/app_keys.py MODEL [TOKENS]

Asks MODEL for TOKENS tokens (default 64) in the app, types letters meanwhile, and measures from the key's
arrival in the app to the refresh that shows it. Then the same question through the engine alone, in this process.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

QUESTION = "Explain in detail what glaucoma is, how it is found, and how it is treated."


async def in_the_app() -> tuple[list[float], float]:
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


def main() -> None:
    """Print percentiles and the ratio of the rates."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    model, tokens = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 64
    with tempfile.TemporaryDirectory() as home:
        os.environ["MEDPOCKET_HOME"] = home
        (Path(home) / "config").mkdir()
        settings = f'model = "{Path(model).resolve()}"\nmax_tokens = {tokens}\nseed = 1\ncontext = 1024\n'
        (Path(home) / "config" / "config.toml").write_text(settings, encoding="utf-8")
        alone = in_the_engine()
        times, rate = asyncio.run(in_the_app())
    times.sort()
    p99 = times[min(len(times) - 1, round(len(times) * 0.99))]
    print(f"{len(times)} keys: median {statistics.median(times) * 1000:.1f} ms, 99th percentile {p99 * 1000:.1f} ms")
    print(f"decoding: {alone:.2f} tokens/s alone, {rate:.2f} in the app: {rate / alone:.3f}")


if __name__ == "__main__":
    main()
