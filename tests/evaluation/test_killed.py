"""A run that is killed, and resumed, again and again, comes to the same numbers, bit for bit."""

import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from medpocket.evaluation.results import Results
from tests.conftest import Medpocket
from tests.evaluation.one_thread import one_thread

ROUNDS = 5
TOPICS = ("angina", "psoriasis", "metformin", "glaucoma", "asthma", "gout", "a stroke", "a fracture of the hip")
ROWS = [
    {
        "id": f"s/{number}",
        "set": "s",
        "question": f"In a patient of {20 + number % 70} years, which of these is nearest to {TOPICS[number % 8]}?",
        "options": {"A": "a disease of the heart", "B": "a disease of the skin", "C": f"condition {number}"},
        "answer": "ABC"[number % 3],
    }
    for number in range(150)
]


@pytest.mark.prove
def test_killed_and_resumed_gives_the_same_numbers(medpocket: Medpocket, home: Path, tmp_path: Path) -> None:
    one_thread(home)
    tasks = tmp_path / "rows.jsonl"
    tasks.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    whole, killed = tmp_path / "whole.sqlite", tmp_path / "killed.sqlite"
    command = ("eval", "run", "demo", "--tasks", str(tasks), "--experts", "routed", "--resume", "--results")
    assert medpocket(*command, str(whole), timeout=280).returncode == 0
    dice, seen = random.Random(1), []
    for _ in range(ROUNDS):
        process = subprocess.Popen(
            [sys.executable, "-m", "medpocket", *command, str(killed)],
            cwd=tmp_path,
            env=os.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wanted = (seen[-1] if seen else 0) + dice.randrange(1, 25)
        while done(killed) < wanted and process.poll() is None:
            time.sleep(dice.uniform(0.001, 0.05))
        process.kill()  # anywhere in what it does next
        process.wait()
        seen.append(done(killed))
    assert 0 < seen[0] < seen[-1] < len(ROWS)
    assert medpocket(*command, str(killed), timeout=280).returncode == 0
    with Results(whole) as first, Results(killed) as second:
        [one], [other] = first.runs(), second.runs()
        assert one.setup == other.setup
        assert one.finished and other.finished
        for column in ("none", "routed"):
            assert first.scored(one, column) == second.scored(other, column)
        assert len(first.scored(one)) == len(ROWS)


def done(path: Path) -> int:
    if not path.exists():
        return 0
    connection = sqlite3.connect(path, timeout=30)
    try:
        return int(connection.execute("SELECT count(*) FROM questions").fetchone()[0])
    except sqlite3.OperationalError:  # there are no tables yet
        return 0
    finally:
        connection.close()
