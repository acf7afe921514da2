"""Make the demonstration model: `python -m medpocket.forge.demo --data DIR --out FILE`."""

import argparse
import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medpocket.errors import InputError, MedpocketError
from medpocket.forge.architecture import CONTEXT, new_model
from medpocket.forge.corpus import Corpus, load_corpus
from medpocket.forge.dialogue import PHRASES, Mixture, plain_exchange
from medpocket.forge.packing import Batches, Sequence, document, pack
from medpocket.forge.precision import autocast
from medpocket.forge.tokenizer import Tokenizer, train_tokenizer
from medpocket.forge.training import Bounds, Plan, Trainer

TOKENIZER = "tokenizer.model"
EVALUATED_SEQUENCES = 24


@dataclass(frozen=True)
class Stage:
    """One run of the training: the next begins with its weights and a warm-up of its own."""

    steps: int
    matrix_rate: float
    vector_rate: float
    mixture: Mixture


# Of the model that ships. The later stages teach it to take names from the question.
STAGES = (
    Stage(1400, 6e-3, 3e-3, Mixture(renamed=0.25)),
    Stage(1200, 4e-3, 2e-3, Mixture(renamed=0.5, copying=True)),
    Stage(450, 3e-3, 1.5e-3, Mixture(renamed=0.5, copying=True, drills=4)),
)
STEPS = sum(stage.steps for stage in STAGES)


def report(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def prepared_tokenizer(corpus: Corpus, work: Path) -> Tokenizer:
    """The work folder's tokenizer, trained on the training texts where it has none yet."""
    path = work / TOKENIZER
    if not path.exists():
        report("training the tokenizer")
        work.mkdir(parents=True, exist_ok=True)
        texts = [f"{entry.subject}\n{entry.answer}" for entry in corpus.train]
        partial = path.with_suffix(".partial")
        partial.write_bytes(train_tokenizer([*texts, *corpus.train_texts]))
        partial.replace(path)
    return Tokenizer.load(path.read_bytes())


def fingerprint(corpus: Corpus, tokenizer: Tokenizer) -> str:
    """Short hash of everything that is trained on, so that a run never goes on with other data."""
    digest = hashlib.sha256(tokenizer.model)
    digest.update(repr((corpus.train, corpus.train_texts, PHRASES)).encode())
    return digest.hexdigest()[:16]


def held_out_sequences(corpus: Corpus, tokenizer: Tokenizer) -> list[Sequence]:
    """The held-out questions with their answers, packed."""
    return list(pack((document(tokenizer, (plain_exchange(entry),)) for entry in corpus.held_out), CONTEXT))


def held_out_loss(model: Any, sequences: list[Sequence], batch: int = 4) -> float:
    """Mean negative log likelihood of an answer's token, in nats."""
    import torch

    device = next(model.parameters()).device
    total, count = 0.0, 0
    model.eval()
    with torch.no_grad():
        for start in range(0, len(sequences), batch):
            part = sequences[start : start + batch]
            ids = torch.tensor([ids for ids, _ in part], device=device)
            labels = torch.tensor([labels for _, labels in part], device=device)
            tokens = int((labels[:, 1:] != -100).sum())
            with autocast(device):
                total += float(model(input_ids=ids, labels=labels, use_cache=False).loss) * tokens
            count += tokens
    model.train()
    return total / max(1, count)


def train(arguments: argparse.Namespace) -> bool:
    """Train in the work folder and write the GGUF file; False where Ctrl-C came first."""
    _check_machine(arguments.device)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    report("reading and cleaning the texts")
    corpus = load_corpus(arguments.data)
    tokenizer = prepared_tokenizer(corpus, arguments.work)
    report(
        f"to train on: {len(corpus.train)} answers, {len(corpus.train_texts)} texts; held out: {len(corpus.held_out)}"
    )
    held_out = held_out_sequences(corpus, tokenizer)[:EVALUATED_SEQUENCES]
    model = new_model(tokenizer.size, arguments.seed)
    data = fingerprint(corpus, tokenizer)
    for number, stage in enumerate(STAGES, start=1):
        report(f"stage {number} of {len(STAGES)}")
        plan = Plan(
            seed=arguments.seed + number - 1,
            matrix_rate=stage.matrix_rate,
            vector_rate=stage.vector_rate,
            data=f"{data} {stage.mixture}",
        )
        batches = Batches(corpus, tokenizer, plan.seed, plan.batch, plan.length, stage.mixture)
        trainer = Trainer(model, plan, batches, arguments.work / f"stage-{number}", report, arguments.device)
        if not trainer.run(_bounds(arguments, stage), lambda current: held_out_loss(current, held_out)):
            return False
    from medpocket.forge.gguf_export import export_model

    export_model(model, tokenizer, arguments.out)
    report(f"wrote {arguments.out}, {arguments.out.stat().st_size / 1e6:.1f} MB")
    return True


def _check_machine(device: str) -> None:
    """Say what is missing before any work is done."""
    try:
        import sentencepiece  # noqa: F401
        import torch
        import transformers  # noqa: F401
    except ImportError as error:
        raise InputError(f"training needs {error.name}", "pip install 'medpocket[train]'") from None
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("torch finds no CUDA device here", "leave --device away to train on the CPU")


def _bounds(arguments: argparse.Namespace, stage: Stage) -> Bounds:
    """The stage's part of the steps or minutes that were asked for."""
    share = stage.steps / STEPS
    if arguments.minutes:
        return Bounds(minutes=arguments.minutes * share)
    return Bounds(steps=max(1, round((arguments.steps or STEPS) * share)))


def _positive(kind: type[int] | type[float]) -> Callable[[str], float]:
    def convert(text: str) -> float:
        if kind(text) <= 0:
            raise ValueError("not above zero")
        return kind(text)

    return convert


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m medpocket.forge.demo", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the texts; docs/demo-model.md says which")
    parser.add_argument("--out", type=Path, required=True, help="GGUF file to write")
    parser.add_argument("--work", type=Path, default=Path("build/demo-model"), help="checkpoints; resumed by itself")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=_positive(int), help=f"steps of 8,192 tokens (default: {STEPS})")
    length.add_argument("--minutes", type=_positive(float), help="about how long to train, in place of --steps")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


def main() -> int:
    try:
        return 0 if train(parse()) else 130
    except MedpocketError as error:
        report(f"error: {error.message}\nhint: {error.hint}")
        return error.exit_code
    except OSError as error:
        report(f"error: {error.filename or 'a file'}: {error.strerror}\nhint: mend that, and the same command goes on")
        return 1


if __name__ == "__main__":
    sys.exit(main())
