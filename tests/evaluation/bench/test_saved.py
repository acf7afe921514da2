import stat
from dataclasses import replace

from medpocket.engine.protocol import LoadedModel
from medpocket.evaluation.bench.figures import Figure
from medpocket.evaluation.bench.rounds import Measured
from medpocket.evaluation.bench.saved import describe, results_file, save, saved_benches
from tests.evaluation.bench.test_tools import SETTINGS

MODEL = LoadedModel(
    name="a model", architecture="llama", quantization="Q8_0", parameters=10, size_bytes=11, context=512,
    trained_context=512, threads=1, has_template=True, demonstration=True, fingerprint="f" * 64, gpu_layers=0,
)  # fmt: skip
MEASURED = Measured(
    MODEL, SETTINGS, ("cardiology", "neurology"), True, "", (Figure("decode_tokens_s", "writing", "tokens/s", (5.0,)),)
)


def test_the_last_measurement_of_each_model_is_read_back() -> None:
    first = describe(MEASURED, {"cores": 2})
    again = replace(first, figures=(Figure("decode_tokens_s", "writing", "tokens/s", (7.0,)),))
    other = replace(first, model={**first.model, "quantization": "Q4_0"})
    for one in (first, other, again):
        save(one)
    assert saved_benches() == [other, again]
    assert stat.S_IMODE(results_file().stat().st_mode) == 0o600


def test_lines_that_make_no_sense_are_passed() -> None:
    kept = describe(MEASURED, {"cores": 2})
    save(kept)
    with results_file().open("a") as file:
        file.write('{"half\n[]\n{"figures": 3}\nnull\n')
    assert saved_benches() == [kept]


def test_without_a_file_nothing_was_measured() -> None:
    assert saved_benches() == []
