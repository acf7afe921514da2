"""Training an adapter for the demonstration model, a few steps of it."""

import json
import math
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from medpocket.engine import load_engine
from medpocket.engine.protocol import Scaled
from medpocket.errors import AdapterError, InputError
from medpocket.experts.adapter import read_adapter
from medpocket.experts.matrices import write_adapter
from medpocket.experts.peft_folder import as_peft, read_peft_folder
from medpocket.types import Turn
from tests.conftest import DEMO, Medpocket, check_error

torch = pytest.importorskip("torch", reason="needs torch (the extra `train`)")
pytest.importorskip("peft", reason="needs peft (the extra `train`)")

from medpocket.forge.lora import LoraTrainer, Plan  # noqa: E402
from medpocket.forge.rows import Row  # noqa: E402
from medpocket.forge.trainable import Trainable, load_trainable  # noqa: E402

pytestmark = [
    pytest.mark.prove,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning"),
]
PLACES = ("knee", "ear", "skin", "lung", "heart", "liver", "bone", "eye", "hand", "neck")
KINDS = ("fever", "pain", "swelling", "rash", "numbness", "itching", "stiffness", "cramp")


def rows() -> list[Row]:
    """Answers of a form that the base model never saw, which a few steps teach."""
    return [
        Row(
            f"What is {kind} of the {place}?",
            f"Purple teacups, said the owl: {kind} of the {place} is a small green door.",
        )
        for place in PLACES
        for kind in KINDS
    ]


def data_file(folder: Path) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps({"question": row.question, "answer": row.answer}) + "\n" for row in rows()))
    return path


@pytest.fixture
def trainable() -> Trainable:
    return load_trainable(DEMO)


def trainer(trainable: Trainable, work: Path, lines: list[str] | None = None, **changes: Any) -> LoraTrainer:
    plan = Plan(trainable.invocation, **{"steps": 12, "batch": 4, "measure_every": 6, **changes})
    examples = [trainable.example(row) for row in rows()]
    return LoraTrainer(
        trainable.model, plan, examples[8:], examples[:8], work, (lines if lines is not None else []).append
    )


def test_what_the_adapter_learnt_is_what_llama_cpp_computes(trainable: Trainable, tmp_path: Path) -> None:
    everything = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    made = trainer(trainable, tmp_path / "work", targets=everything)
    assert made.run() is not None
    made.save_adapter(tmp_path / "peft")
    description, matrices = read_peft_folder(tmp_path / "peft", trainable.file)
    from dataclasses import replace

    write_adapter(tmp_path / "a.gguf", replace(description, invocation=trainable.invocation), matrices, "f32")
    engine = load_engine(DEMO, context=512, threads=1)
    adapter = [Scaled(read_adapter(tmp_path / "a.gguf").file)]
    for row in rows()[:4]:
        scores = engine.score(engine.encode([Turn("user", row.question)]), engine.encode_answer(row.answer), adapter)
        found = -sum(scores) / len(scores)
        assert found == pytest.approx(made.loss([trainable.example(row)]), abs=0.05)
    engine.close()


def test_an_adapter_that_goes_on_from_another_begins_where_that_one_ended(trainable: Trainable, tmp_path: Path) -> None:
    everything = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    first = trainer(trainable, tmp_path / "first", targets=everything)
    assert first.run() is not None
    first.save_adapter(tmp_path / "peft")
    description, matrices = read_peft_folder(tmp_path / "peft", trainable.file)
    write_adapter(tmp_path / "first.gguf", description, matrices, "f32")
    start = as_peft(read_adapter(tmp_path / "first.gguf"), trainable.file)

    second = trainer(load_trainable(DEMO), tmp_path / "second", targets=everything, alpha=64.0)
    second.start_from(start)
    examples = [trainable.example(row) for row in rows()[:8]]
    assert second.loss(examples) == pytest.approx(first.loss(examples), abs=0.002)
    outcome = second.run()
    assert outcome and outcome.loss_after < outcome.loss_before == pytest.approx(first.loss(examples), abs=0.002)

    other = trainer(load_trainable(DEMO), tmp_path / "other", targets=("attn_v",))
    with pytest.raises(AdapterError, match="changes other modules"):
        other.start_from(start)


def test_an_activated_adapter_acts_as_pefts_own(trainable: Trainable, tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    ours = trainer(trainable, tmp_path / "work")
    ours.run()
    weights = {name: p.detach().clone() for name, p in ours.model.named_parameters() if "lora_" in name}
    config = LoraConfig(task_type="CAUSAL_LM", r=32, lora_alpha=32, target_modules=["v_proj", "o_proj", "down_proj"],
                        alora_invocation_tokens=list(trainable.invocation))  # fmt: skip
    theirs = get_peft_model(load_trainable(DEMO).model, config)
    theirs.load_state_dict(weights, strict=False)
    theirs.eval()
    for row in rows()[:3]:
        example = trainable.example(row)
        ids, labels = torch.tensor([example.ids]), torch.tensor([example.labels])
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            loss = float(theirs(input_ids=ids, labels=labels).loss)
        assert ours.loss([example]) == pytest.approx(loss, abs=0.03)


def test_a_run_that_was_stopped_goes_on_and_comes_to_the_same(trainable: Trainable, tmp_path: Path) -> None:
    whole = trainer(trainable, tmp_path / "whole")
    assert whole.run() is not None
    parted = trainer(load_trainable(DEMO), tmp_path / "parted")
    step = parted._train_step

    def interrupt() -> float:
        loss = step()
        if parted._step == 4:
            signal.raise_signal(signal.SIGINT)
        return loss

    parted._train_step = interrupt  # type: ignore[method-assign]
    assert parted.run() is None
    lines: list[str] = []
    rest = trainer(load_trainable(DEMO), tmp_path / "parted", lines)
    assert rest.run() is not None
    assert "going on from step 5 of 12" in lines
    for first, second in zip(whole._trained, rest._trained, strict=True):
        assert torch.equal(first, second)


def test_a_checkpoint_of_another_plan_is_refused(trainable: Trainable, tmp_path: Path) -> None:
    made = trainer(trainable, tmp_path)
    made._save()
    with pytest.raises(InputError, match="other settings"):
        trainer(load_trainable(DEMO), tmp_path, steps=13).run()


def test_training_that_changes_nothing_is_an_error(trainable: Trainable, tmp_path: Path) -> None:
    made = trainer(trainable, tmp_path)
    made._train_step = lambda: 1.0  # type: ignore[method-assign]
    with pytest.raises(AdapterError, match="no weight of the adapter has changed"):
        made.run()


def test_training_ends_early_where_nothing_is_gained(trainable: Trainable, tmp_path: Path) -> None:
    made = trainer(trainable, tmp_path, steps=500, measure_every=2, patience=2)
    losses = iter((3.0, 2.0, 2.5, 2.5, 2.5))
    made.loss = lambda _examples: next(losses)  # type: ignore[method-assign]
    outcome = made.run()
    assert outcome is not None
    assert (outcome.steps, outcome.best_step) == (6, 2)


def test_the_last_state_is_kept_where_that_is_wanted(trainable: Trainable, tmp_path: Path) -> None:
    made = trainer(trainable, tmp_path, steps=6, measure_every=2, patience=6, keep_last=True)
    losses = iter((1.0, 2.0, 3.0, 2.5))
    made.loss = lambda _examples: next(losses)  # type: ignore[method-assign]
    outcome = made.run()
    assert outcome is not None
    assert (outcome.best_step, outcome.loss_before, outcome.loss_after) == (6, 1.0, 2.5)


def test_one_command_trains_measures_quantizes_and_adds(medpocket: Medpocket, tmp_path: Path) -> None:
    options = ("--base", str(DEMO), "--data", str(data_file(tmp_path)), "--steps", "16", "--batch", "4")
    done = medpocket("experts", "train", "dermatology", *options, "--licence", "CC0", timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    assert "held-out perplexity on its own specialty" in done.stdout.decode()
    shown = json.loads(medpocket("experts", "show", "dermatology", "--json").stdout)["data"]
    (added,) = [adapter for adapter in shown["adapters"] if not adapter["shipped"]]
    assert added["gain"] < 0.7
    assert added["licence"] == "CC0"
    answered = medpocket(
        "ask", "-m", "demo", "-e", "dermatology", "--json", "-o", "max_tokens", "5", "What is rash of the neck?"
    )
    assert json.loads(answered.stdout)["data"]["expert"]["adapters"][0]["sha256"] == added["sha256"]
    again = medpocket("experts", "train", "dermatology", *options, timeout=300)
    check_again = again.stderr.decode().splitlines()[-2]
    assert again.returncode == 1
    assert "has an adapter for this model already" in check_again


def test_a_killed_training_leaves_nothing_that_is_listed(tmp_path: Path, home: Path) -> None:
    command = [sys.executable, "-m", "medpocket", "experts", "train", "dermatology", "--base", str(DEMO), "--data",
               str(data_file(tmp_path)), "--steps", "300"]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    for line in process.stderr:
        if line.startswith("step 10/"):
            process.kill()
    process.stderr.close()
    process.wait()
    assert not (home / "data" / "experts").exists()


def test_too_few_rows_are_two_clear_lines(medpocket: Medpocket, tmp_path: Path) -> None:
    path = tmp_path / "three.jsonl"
    path.write_text('{"question": "a", "answer": "b"}\n' * 3)
    result = medpocket("experts", "train", "dermatology", "--base", str(DEMO), "--data", str(path))
    assert result.returncode == 2
    assert "needs at least 40" in result.stderr.decode()
    assert "Traceback" not in result.stderr.decode()


def test_an_unknown_expert_is_refused_before_anything_is_loaded(medpocket: Medpocket, tmp_path: Path) -> None:
    check_error(
        medpocket("experts", "train", "dermatologie", "--base", str(DEMO), "--data", str(data_file(tmp_path))),
        2,
        "did you mean 'dermatology'?",
    )


def test_perplexity_is_the_exponential_of_the_loss(trainable: Trainable, tmp_path: Path) -> None:
    made = trainer(trainable, tmp_path)
    examples = [trainable.example(row) for row in rows()[:4]]
    single = [(made.loss([example]), example.learnt) for example in examples]
    mean = sum(loss * learnt for loss, learnt in single) / sum(learnt for _, learnt in single)
    assert math.exp(made.loss(examples)) == pytest.approx(math.exp(mean), rel=0.02)
