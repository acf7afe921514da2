"""What a history of 100,000 turns costs: plain and locked.

    python tests/benchmarks/history.py [--turns 100000] [--rounds 5] [--keep FOLDER]

Prints a table of percentiles beside their bounds; exits with 1 where a bound was missed. The texts are words of the
router's lexicon and of assets/, drawn with Zipf's frequencies: their lengths and how often the common ones occur are
like those of answers, what they say is not.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from itertools import accumulate
from pathlib import Path

import psutil

from medpocket import paths
from medpocket.store.history import History
from medpocket.store.key import derive_key
from medpocket.store.locking import rewrite
from medpocket.store.records import AnsweredBy, Asked, Conversation, State, StoredTurn, Whole, new_id, title_of

TURNS_EACH = 5
QUESTION_WORDS, ANSWER_WORDS = (6, 20), (60, 220)
PASSPHRASE = "five unrelated words make one"
SEARCH_BOUND_MS = {"plain": 50.0, "locked": 80.0}
OPEN_BOUND_MS, PROCESS_BOUND_S, SESSIONS_BOUND_MS = 30.0, 0.4, 100.0
EXPERTS = ("cardiology", "neurology", "oncology", "pediatrics", "general")


class Words:
    """Words with Zipf's frequencies: the n-th most frequent is n times rarer than the first."""

    def __init__(self, chance: random.Random) -> None:
        found = set()
        for path in sorted((paths.assets_folder() / "lexicon").glob("*.tsv")):
            found |= {word for word in path.read_text(encoding="utf-8").lower().split() if word.isalpha()}
        self.all = sorted(found)
        chance.shuffle(self.all)
        self._weights = list(accumulate(1 / rank for rank in range(1, len(self.all) + 1)))
        self._chance = chance

    def text(self, least: int, most: int) -> str:
        count = self._chance.randint(least, most)
        return " ".join(self._chance.choices(self.all, cum_weights=self._weights, k=count))


def conversations(turns: int, words: Words, chance: random.Random) -> Iterator[Whole]:
    start = datetime(2024, 1, 1, tzinfo=timezone.utc)
    model = AnsweredBy("BioMistral-7B Q4_K_M", "Q4_K_M", "f" * 64, "a" * 64)
    for first in range(0, turns, TURNS_EACH):
        id_, expert = new_id(), chance.choice(EXPERTS)
        kept = []
        for number in range(1, TURNS_EACH + 1):
            at = start + timedelta(minutes=10 * (first + number))
            asked = Asked(
                words.text(*QUESTION_WORDS), model, expert, expert.title(), "a term, another", "Answer so.", 0.9
            )
            answer = words.text(*ANSWER_WORDS)
            kept.append(StoredTurn(id_, number, number - 1 or None, State.COMPLETE, asked, answer, at, at, "end"))
        conversation = Conversation(id_, title_of(kept[0].asked.question), kept[0].asked_at, at, TURNS_EACH, expert)
        yield Whole(conversation, kept)


def queries(words: Words, chance: random.Random, count: int) -> list[str]:
    """Mixed as a search box sees them: words of every frequency, pairs, phrases, beginnings, filters."""
    made = []
    for number in range(count):
        one, other = chance.choices(words.all[:2000], k=2)
        made.append(
            (
                chance.choice(words.all[:50]),
                one,
                f"{one} {other}",
                f'"{words.text(2, 2)}"',
                f"{one[:4]}*",
                f"expert:{chance.choice(EXPERTS)} {one}",
                f"after:2025-01-01 {chance.choice(words.all[:50])}",
                f"expert:cardiology after:2024-06-01 {chance.choice(words.all[:200])} {other[:3]}*",
            )[number % 8]
        )
    return made


def milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def measure(kind: str, home: Path, words: Words, rounds: int) -> list[tuple[str, float, float | None, str]]:
    folder = home / "data" / "history"
    passphrase = (lambda: PASSPHRASE) if kind == "locked" else (lambda: None)
    key_ms = milliseconds(lambda: derive_key(PASSPHRASE, bytes(16))) if kind == "locked" else 0.0
    opened: list[float] = []
    for _ in range(rounds):
        took = milliseconds(lambda: History.open(folder, passphrase).close())  # type: ignore[union-attr]
        opened.append(took)
    history = History.open(folder, passphrase)
    assert history
    process = psutil.Process()
    before = process.memory_info().rss
    texts = queries(words, random.Random(7), 40 * rounds)
    history.search(texts[0])
    found = [milliseconds(lambda text=text: history.search(text)) for text in texts]  # type: ignore[misc]
    slowest = texts[found.index(max(found))]
    typed = [slice_ for text in texts[1 : 8 * rounds : 8] for slice_ in (text[:2], text[:4], text)]
    sessions = [milliseconds(lambda text=text: history.conversations(text, limit=200)) for text in typed]  # type: ignore[misc]
    listed = [milliseconds(lambda: history.conversations(limit=20_000)) for _ in range(rounds)]
    grown = (process.memory_info().rss - before) / 1e6
    history.close()
    secret = home / "passphrase"
    secret.write_text(PASSPHRASE)
    secret.chmod(0o600)
    environment = os.environ | {"MEDPOCKET_HOME": str(home), "MEDPOCKET_PASSPHRASE_FILE": str(secret)}
    command = [sys.executable, "-m", "medpocket", "history", "list"]
    whole = [
        milliseconds(lambda: subprocess.run(command, env=environment, capture_output=True, check=True)) / 1000
        for _ in range(rounds)
    ]
    return [
        ("search, p50, ms", percentile(found, 0.5), None, ""),
        (
            "search, p95, ms",
            percentile(found, 0.95),
            SEARCH_BOUND_MS[kind],
            f"slowest {max(found):.0f} ms: {slowest!r}",
        ),
        ("open, median, less key, ms", percentile(opened, 0.5) - key_ms, OPEN_BOUND_MS, f"key {key_ms:.0f} ms"),
        ("sessions filtered, p95, ms", percentile(sessions, 0.95), SESSIONS_BOUND_MS, "200 of 20,000"),
        ("all sessions at once, median, ms", percentile(listed, 0.5), None, "20,000; the app asks for pages"),
        ("`history list`, whole process, median, s", percentile(whole, 0.5), PROCESS_BOUND_S + key_ms / 1000, ""),
        ("memory grown meanwhile, MB", grown, None, "with all 20,000 sessions in a list"),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="make the history here, or use the one that is here")
    options = parser.parse_args()
    chance = random.Random(1)
    words = Words(chance)
    with tempfile.TemporaryDirectory() as temporary:
        home = options.keep or Path(temporary)
        missed = False
        for kind in ("plain", "locked"):
            folder = home / kind / "data" / "history"
            if not (folder / "history.db").exists():
                history = History.open(folder)
                assert history
                with history:
                    history.add_all(conversations(options.turns, words, chance))
                    if kind == "locked":
                        rewrite(history, PASSPHRASE)
            print(f"\n{kind}: {options.turns:,} turns, {(folder / 'history.db').stat().st_size / 1e6:,.0f} MB")
            for name, value, bound, remark in measure(kind, home / kind, words, options.rounds):
                kept = bound is None or value <= bound
                missed = missed or not kept
                told = "" if bound is None else f"<= {bound:.3g}: {'kept' if kept else 'MISSED'}"
                print(f"{name:42} {value:9.2f}  {told:18} {remark}")
        return int(missed)


if __name__ == "__main__":
    sys.exit(main())
