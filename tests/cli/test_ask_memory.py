"""What is predicted of a whole process, against what the kernel counts."""

import json
import sys

import pytest

from medpocket.models.gguf_reader import read_gguf
from medpocket.models.memory import memory_need
from medpocket.models.shape import shape_of
from tests.conftest import DEMO, Medpocket


@pytest.mark.skipif(sys.platform != "linux", reason="the program's own part was measured on Linux")
@pytest.mark.parametrize(("context", "words"), [(512, 300), (1024, 520)])
def test_the_predicted_peak_is_within_a_tenth_of_what_a_process_takes(
    medpocket: Medpocket, context: int, words: int
) -> None:
    options = ["-o", "context", str(context), "-o", "max_tokens", "4"]
    result = medpocket("ask", "-m", "demo", "--no-route", "--json", *options, "and " * words)
    stats = json.loads(result.stdout)["data"]["stats"]
    assert stats["evaluated_tokens"] > words
    predicted = memory_need(shape_of(read_gguf(DEMO)), context).total
    assert abs(predicted / stats["peak_memory_bytes"] - 1) < 0.1
