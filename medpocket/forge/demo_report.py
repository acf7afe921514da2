"""Ask the demonstration model held-out questions: `python -m medpocket.forge.demo_report --data DIR --model FILE`."""

import argparse
import hashlib
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from medpocket.errors import MedpocketError
from medpocket.forge.corpus import Corpus, Entry, load_corpus, names_subject
from medpocket.forge.dialogue import plain_exchange
from medpocket.forge.subjects import split_key
from medpocket.forge.text import normalised

QUESTIONS = 50
LONGEST_ANSWER = 320  # tokens; the answers learnt have about 280 at most
REPEAT_PENALTY = 1.15
PHRASE = 8  # words


@dataclass(frozen=True)
class Answered:
    """One held-out question with the model's answer and what it is judged by."""

    subject: str
    question: str
    answer: str
    ended: bool

    @property
    def names_subject(self) -> bool:
        return names_subject(self.subject, self.answer)

    @property
    def repeats(self) -> int:
        return most_repeated(self.answer)


def held_out_questions(corpus: Corpus, count: int = QUESTIONS) -> list[Entry]:
    """One entry for each of `count` held-out subjects, chosen by hash: nobody picks them."""

    def order(entry: Entry) -> bytes:
        return hashlib.sha256(f"{split_key(entry.subject)}/{entry.qtype}/{entry.source}".encode()).digest()

    chosen: dict[str, Entry] = {}
    for entry in sorted(corpus.held_out, key=order):
        if entry.source != "OpenStax":
            chosen.setdefault(split_key(entry.subject), entry)
    return list(chosen.values())[:count]


def most_repeated(text: str, length: int = PHRASE) -> int:
    """How often the text says its most frequent phrase of `length` words."""
    words = normalised(text).split()
    phrases = Counter(zip(*(words[start:] for start in range(length)), strict=False))
    return max(phrases.values(), default=0)


def ask(
    model: Path, asked: Iterable[tuple[str, str]], repeat_penalty: float = REPEAT_PENALTY, context: int = 1024
) -> Iterator[Answered]:
    """Answer each (subject, question) greedily with MedPocket's engine, each in a conversation of its own."""
    from medpocket.engine import load_engine
    from medpocket.engine.cancel import Cancellation
    from medpocket.types import Generated, Sampling, Turn

    engine = load_engine(model, context=context)
    greedy = Sampling(temperature=0.0, repeat_penalty=repeat_penalty, max_tokens=LONGEST_ANSWER)
    try:
        for subject, question in asked:
            prompt = engine.encode([Turn("user", question)])
            for event in engine.generate(prompt, greedy, Cancellation()):
                if isinstance(event, Generated):
                    yield Answered(subject, question, event.text.strip(), event.stop == "end")
    finally:
        engine.close()


def _as_markdown(answers: list[Answered]) -> str:
    lines = [
        f"- answers that name the subject: {sum(a.names_subject for a in answers)} of {len(answers)}",
        f"- answers that say a phrase of {PHRASE} words three times: {sum(a.repeats >= 3 for a in answers)}",
        f"- answers that end by themselves: {sum(a.ended for a in answers)}",
    ]
    for answered in answers:
        verdict = "" if answered.names_subject else " (does not name it)"
        lines += ["", f"**{answered.question}**{verdict}", "", answered.answer]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m medpocket.forge.demo_report", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument("--repeat-penalty", type=float, default=REPEAT_PENALTY)
    arguments = parser.parse_args()
    try:
        asked = [(e.subject, plain_exchange(e).question) for e in held_out_questions(load_corpus(arguments.data))]
        sys.stdout.write(_as_markdown(list(ask(arguments.model, asked, arguments.repeat_penalty))))
    except MedpocketError as error:
        sys.stderr.write(f"error: {error.message}\nhint: {error.hint}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
