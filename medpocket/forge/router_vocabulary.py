"""The words that the router knows: those of its texts, those of its lexicon, and everyday English."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from medpocket.forge.corpus import Corpus
from medpocket.forge.router_lexicon import Lexicon, sounds_of
from medpocket.forge.router_texts import Sample
from medpocket.registry import GENERAL
from medpocket.router.normalise import CLAUSE_END, SENTENCE_END, tokens_of, usual_form
from medpocket.router.reading import Vocabulary, as_vocabulary

FEWEST = 7  # a word that texts have less often is read by its pieces, unless the lexicon has it
MEDICAL = 4  # times that medical texts have a word which is not everyday English, though a list of English has it
MOST_WORDS = 40_000
ENGLISH = Path(__file__).with_name("english_words.txt")


def make_vocabulary(samples: Iterable[Sample], lexicon: Lexicon, corpus: Corpus) -> Vocabulary:
    """The words that texts have often enough, the most frequent first, and all of the lexicon's."""
    medical: Counter[str] = Counter()
    other: Counter[str] = Counter()
    for sample in samples:
        (other if sample.accept == (GENERAL,) else medical).update(tokens_of(sample.text))
    for text in corpus.train_texts:
        medical.update(tokens_of(text))
    counts = medical + other
    for mark in (CLAUSE_END, SENTENCE_END):
        del counts[mark]
    named = {word for term in lexicon.terms for word in term.split()}
    frequent = [word for word, count in counts.most_common(MOST_WORDS) if count >= FEWEST]
    words = [*frequent, *sorted(named.difference(frequent))]
    english = {usual_form(word) for word in ENGLISH.read_text(encoding="utf-8").split()}
    everyday = (english | other.keys()) - {word for word, count in medical.items() if count >= MEDICAL} - named
    return as_vocabulary(vocabulary_content(words, lexicon.terms, everyday))


def vocabulary_content(words: Sequence[str], terms: Sequence[str], everyday: Iterable[str]) -> dict[str, Any]:
    """What the file of weights holds of the vocabulary."""
    reach: dict[str, int] = {}
    for term in terms:
        first, *rest = term.split(" ")
        reach[first] = max(reach.get(first, 0), 1 + len(rest))
    in_terms = {word for term in terms for word in term.split(" ")}
    sounds = sounds_of(terms, {word: number for number, word in enumerate(words)})
    return {
        "words": "\n".join(words),
        "terms": "\n".join(terms),
        "everyday": "\n".join(sorted(word for word in everyday if word.isalpha())),
        "sounds": "\n".join("\t".join(pair) for pair in sounds.items()),
        "reach": np.array([reach.get(word, 0) for word in words], np.uint8),
        "in_terms": np.array([word in in_terms for word in words], np.uint8),
    }
