"""Train the router: `python -m medpocket.forge.router --data DIR --out assets/router.bin`; docs/router.md says how."""

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medpocket import paths
from medpocket.errors import MedpocketError
from medpocket.forge import router_texts
from medpocket.forge.corpus import load_corpus
from medpocket.forge.router_augment import Augmenter
from medpocket.forge.router_lexicon import Entry, Lexicon, compile_lexicon, read_entries, temper
from medpocket.forge.router_memory import Remembered, remember
from medpocket.forge.router_texts import FRAMES, UTTERANCES, Sample
from medpocket.forge.router_training import (
    Examples,
    Floats,
    Plan,
    Trained,
    joined,
    mean_vectors,
    softmax,
    start_from,
    train,
)
from medpocket.forge.router_vocabulary import make_vocabulary, vocabulary_content
from medpocket.registry import GENERAL, Registry, load_registry
from medpocket.router.features import feature_count, features, term_scores
from medpocket.router.reading import PIECE_BUCKETS, Reading, Vocabulary, pieces_of, read
from medpocket.router.weights import write_weights

Report = Callable[[str], object]

VARIANTS = 10  # of each utterance
COMPOSED = 800  # papers, and charts, of each expert
MEMBERS = 2  # gates whose mean decides
STORIES = 400  # of patients, of each expert
ASIDE = 0.25  # of the variants of what patients say, those with something of everyday life in them
COMPLAINT = "complaint"  # register of a few words each, which patients say one after the other
TOLD = ("patient", COMPLAINT)
ABSTAINS = 2.17  # added to the logit of `general`: rather no expert than a guess
# Registers that are left out together when the scores are calibrated.
LEFT_OUT = (
    ("patient", "people", "complaint"), ("abstract", "literature", "exam", "examinations"),
    ("summary", "line", "report", "notes"), ("vignette", "confounder", "question", "questions"),
)  # fmt: skip
PIECES_KEEP = 0.5  # of what pieces learnt from known words; an unknown word is a guess
TERM_LOST = 0.3  # share of terms hidden in a third of the texts, so that the gate learns to do without
SOURCE_WEIGHTS = {
    "utterances": 1.0, "written": 0.5, "excerpts": 0.1, "questions": 0.3, "answers": 0.25, "frames": 0.3,
    "composed": 0.6, "across": 0.6, "elsewhere": 0.6,
}  # fmt: skip
"""How much a text matters, before classes are brought nearer to each other."""
REGISTER_WEIGHTS = {"literature": 2.0, "abstract": 2.5, "notes": 2.5, "summary": 1.5, "exam": 1.5, "patient": 0.7}
"""As many times as much as their source's weight; other registers once."""
SHARED = {"abstract": "literature", "literature": "literature", "summary": "notes", "notes": "notes"}
"""Registers whose experts have shares of their own, and where these stand."""
TEMPERING = ("utterances", "answers", "questions", "written", "elsewhere")  # sources that were not made of the lexicon


@dataclass(frozen=True)
class Material:
    """All that is trained on, the samples that watch, and those that are remembered."""

    lexicon: Lexicon
    vocabulary: Vocabulary
    experts: tuple[str, ...]
    samples: list[Sample]
    watched: list[Sample]
    kept: list[Sample]


def gather(data: Path, registry: Registry, seed: int) -> Material:
    """Read the sources and vary the utterances. Raises InputError."""
    corpus = load_corpus(data)
    experts = tuple(registry.experts)
    entries = read_entries(paths.assets_folder() / "lexicon", registry)
    lexicon = compile_lexicon(entries, experts)
    own = router_texts.utterances(UTTERANCES, registry)
    watched = [sample for sample in own if sample.validates]

    def dice(source: str) -> random.Random:
        return random.Random(f"router/{source}/{seed}")

    framer = router_texts.Framer(entries, dice("frames"))
    samples = [
        *_varied([sample for sample in own if not sample.validates], entries, dice("utterances")),
        *router_texts.medquad(corpus, dice("medquad")),
        *router_texts.excerpts(corpus),
        *router_texts.written(registry),
        *framer.samples(3, 3000),
        *framer.composed("literature", COMPOSED, longest=9),
        *framer.composed("notes", COMPOSED, longest=4),
        *framer.composed("people", STORIES, longest=3),
        *router_texts.elsewhere(dice("elsewhere")),
    ]
    vocabulary = make_vocabulary(samples, lexicon, corpus)
    kept = [sample for sample in own if not sample.validates and sample.register != COMPLAINT]
    return Material(lexicon, vocabulary, experts, samples, watched, kept)


def _varied(own: Iterable[Sample], entries: Iterable[Entry], dice: random.Random) -> Iterable[Sample]:
    terms: dict[str, list[str]] = {}
    for entry in entries:
        if entry.counts >= 1 and entry.kind in ("term", "lay"):
            terms.setdefault(entry.expert, []).append(entry.term)
    drugs = sorted({entry.term for entry in entries if entry.kind == "drug"})
    augmenter = Augmenter(terms, drugs, dice)
    samples = list(own)
    complaints: dict[str, list[str]] = {}
    for sample in samples:
        if sample.register == COMPLAINT:
            complaints.setdefault(sample.accept[0], []).append(sample.text)
    for sample in samples:
        yield replace(sample, variant_of=sample.text)
        for _ in range(VARIANTS - 1):
            text = sample.text
            if sample.register == COMPLAINT:
                text = augmenter.told(text, complaints[sample.accept[0]])
            text = augmenter.vary(text, sample.accept)
            if sample.register in TOLD and dice.random() < ASIDE:
                text = router_texts.with_aside(text, dice)
            yield Sample(text, sample.accept, sample.source, sample.register, sample.text)


def tempered(material: Material, readings: Sequence[Reading]) -> Lexicon:
    """The lexicon, as far as the texts bear it out."""
    return temper(
        material.lexicon,
        (
            ([term.number for term in reading.terms], [material.experts.index(name) for name in sample.accept])
            for sample, reading in zip(material.samples, readings, strict=True)
            if sample.source in TEMPERING
        ),
        len(material.experts),
    )


def examples_of(
    samples: Sequence[Sample],
    readings: Iterable[Reading],
    lexicon: Lexicon,
    remembered: Remembered,
    experts: Sequence[str],
    dice: random.Random | None = None,
) -> Examples:
    """Turn samples and their readings into arrays; with `dice`, some terms are hidden."""
    rows, counts, found = [], [], []
    starts = [0]
    accept = np.zeros((len(samples), len(experts)), np.float32)
    for number, (sample, reading) in enumerate(zip(samples, readings, strict=True)):
        shown = _with_terms_hidden(reading, dice) if dice and dice.random() < 1 / 3 else reading
        overlap = remembered.memory.overlap(reading.rows, reading.counts)
        nearness = remembered.memory.nearest(overlap, remembered.numbers.get(sample.variant_of))
        found.append(features(shown, term_scores(shown, lexicon.weights), lexicon.kinds, nearness))
        rows.append(reading.rows)
        counts.append(reading.counts)
        starts.append(starts[-1] + len(reading.rows))
        accept[number, [experts.index(name) for name in sample.accept]] = 1
    return Examples(
        np.stack(found),
        np.concatenate(rows),
        np.concatenate(counts),
        np.array(starts),
        accept,
        _weights(samples, experts),
    )


def _with_terms_hidden(reading: Reading, dice: random.Random) -> Reading:
    return replace(reading, terms=[term for term in reading.terms if dice.random() >= TERM_LOST])


def _weights(samples: Sequence[Sample], experts: Sequence[str]) -> Floats:
    """What each text matters.

    Its source's weight, over the square root of its expert's share in all, times its register's weight and the share of
    its register that is its expert's.
    """
    own = np.array([SOURCE_WEIGHTS[sample.source] for sample in samples], np.float32)
    classes = np.array([experts.index(sample.accept[0]) for sample in samples])
    total = np.bincount(classes, own, len(experts))
    scale = np.sqrt(total.sum() / len(experts) / np.maximum(total, 1e-6))
    shares = [FRAMES["shares"].get(SHARED.get(one.register, ""), {}).get(one.accept[0], 1.0) for one in samples]
    registers = [REGISTER_WEIGHTS.get(one.register, 1.0) for one in samples]
    found: Floats = (own * scale[classes] * np.array(shares) * np.array(registers)).astype(np.float32)
    return found


def fit_pieces(trained: Trained, vocabulary: Vocabulary) -> None:
    """Give the pieces of words their vectors, so that a word that is not in the vocabulary has one."""
    words = [word for word in vocabulary.words if len(word) > 3]
    numbers = [vocabulary.words[word] for word in words]
    found = mean_vectors([pieces_of(word) for word in words], trained.embedding[numbers], PIECE_BUCKETS)
    trained.embedding[vocabulary.first_piece :] = PIECES_KEEP * found


def temperature_for(sets: Sequence[tuple[Floats, Floats]]) -> float:
    """The temperature at which the accepted experts' scores are the likeliest (Guo et al. 2017), by a search.

    `sets` are logits and accepted experts, both (texts, experts); each set counts as much as another.
    """
    grid = np.exp(np.linspace(np.log(0.5), np.log(4.0), 60))
    losses = [
        np.mean([-np.log((softmax(logits / t) * accept).sum(axis=1) + 1e-8).mean() for logits, accept in sets])
        for t in grid
    ]
    return float(grid[int(np.argmin(losses))])


def in_8_bits(embedding: Floats) -> tuple[np.ndarray, Floats]:
    """Each row as whole numbers from -127 to 127, and its scale."""
    scales = np.abs(embedding).max(axis=1) / 127
    whole = np.rint(embedding / np.maximum(scales, 1e-12)[:, None]).astype(np.int8)
    return whole, scales.astype(np.float32)


def train_router(data: Path, out: Path, plan: Plan, report: Report) -> None:
    """Train, and write the weights. Raises InputError and OSError."""
    material = gather(data, load_registry(), plan.seed)
    experts = material.experts
    report(f"{len(material.lexicon.terms):,} terms, {len(material.vocabulary.words):,} words")
    report(f"{Counter(sample.source for sample in material.samples)}")
    readings = [read(sample.text, material.vocabulary) for sample in material.samples]
    lexicon = tempered(material, readings)
    remembered = remember(material.kept, material.vocabulary, experts)
    examples = examples_of(material.samples, readings, lexicon, remembered, experts, random.Random(plan.seed))
    own = [read(sample.text, material.vocabulary) for sample in material.watched]
    watched = examples_of(material.watched, own, lexicon, remembered, experts)
    members = []
    for number in range(MEMBERS):
        members.append(train_member(material, examples, replace(plan, seed=plan.seed + number)))
        report(f"member {number + 1} of {MEMBERS}: right on those set aside {right_share(members[-1], watched):.3f}")
    weights = joined(members)
    report(f"joined: right on those set aside {right_share(weights, watched):.3f}")
    unknown = left_out(material, readings, examples, lexicon, plan)
    temperature = temperature_for([unknown, (weights.logits(watched), watched.accept)])
    report(f"temperature {temperature:.2f}")
    save(out, weights, material, remembered, lexicon, temperature)


def train_member(material: Material, examples: Examples, plan: Plan) -> Trained:
    """Train one of the gates that are joined at last."""
    dice = np.random.default_rng(plan.seed)
    embedding = dice.normal(0, 0.05, (material.vocabulary.row_count, plan.width)).astype(np.float32)
    embedding[material.vocabulary.first_piece :] = 0
    experts = len(material.experts)
    weights = start_from(embedding, feature_count(experts), experts, plan)
    train(weights, examples, plan)
    fit_pieces(weights, material.vocabulary)
    weights.bias[material.experts.index(GENERAL)] += ABSTAINS
    return weights


def left_out(
    material: Material, readings: Sequence[Reading], examples: Examples, lexicon: Lexicon, plan: Plan
) -> tuple[Floats, Floats]:
    """Logits and accepted experts of utterances whose register was not trained on.

    Each of LEFT_OUT in turn is kept from a gate, sentences made in these registers too, and from the memory; the gate
    is tried on its utterances.
    """
    logits, accept = [], []
    for registers in LEFT_OUT:
        kept_out = [one.register in registers for one in material.samples]
        weight = np.where(kept_out, 1e-9, examples.weight).astype(np.float32)
        weights = train_member(material, replace(examples, weight=weight), plan)
        others = [one for one in material.kept if one.register not in registers]
        known = remember(others, material.vocabulary, material.experts)
        chosen = [place for place, out in enumerate(kept_out) if out and material.samples[place].source == "utterances"]
        own = examples_of(
            [material.samples[place] for place in chosen],
            [readings[place] for place in chosen],
            lexicon,
            known,
            material.experts,
        )
        logits.append(weights.logits(own))
        accept.append(own.accept)
    return np.concatenate(logits), np.concatenate(accept)


def right_share(weights: Trained, examples: Examples) -> float:
    """The share of texts for which an accepted expert is the first."""
    found = weights.logits(examples).argmax(axis=1)
    return float(examples.accept[np.arange(len(examples)), found].mean())


def save(
    out: Path, weights: Trained, material: Material, remembered: Remembered, lexicon: Lexicon, temperature: float
) -> None:
    """Write the file. Raises OSError."""
    whole, scales = in_8_bits(weights.embedding)
    digest = write_weights(
        out,
        {
            "experts": "\n".join(material.experts),
            **vocabulary_content(list(material.vocabulary.words), lexicon.terms, material.vocabulary.everyday),
            **remembered.content,
            "term_weights": lexicon.weights.astype(np.float16),
            "term_kinds": lexicon.kinds,
            "embedding": whole,
            "scales": scales,
            "direct": weights.direct,
            "inner": weights.inner,
            "inner_bias": weights.inner_bias,
            "outer": weights.outer,
            "bias": weights.bias,
            "temperature": np.array([temperature], np.float32),
        },
    )
    sys.stdout.write(f"{out}: {out.stat().st_size:,} bytes, SHA-256 {digest}\n")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m medpocket.forge.router", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the texts; docs/demo-model.md says which")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    try:
        train_router(
            arguments.data, arguments.out, Plan(seed=arguments.seed), lambda line: sys.stderr.write(f"{line}\n")
        )
    except MedpocketError as error:
        sys.stderr.write(f"error: {error.message}\nhint: {error.hint}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
