from dataclasses import replace

import pytest

from medpocket.models.fit import DEVICE_MARGIN_BYTES, fit_model, layer_bytes, memory_short
from medpocket.models.memory import memory_need
from tests.models.simulated import GB, SEVEN_B, graphics, machine

ALL = len(SEVEN_B.layers) + 1


def test_without_a_graphics_processor_all_is_the_machines() -> None:
    fit = fit_model(SEVEN_B, machine(16 * GB), context=2048)
    assert fit.fits and fit.gpu_layers == 0 and fit.device is None and fit.device_bytes == 0
    assert fit.host_bytes == fit.need.total
    assert fit.mapped and not fit.repacked
    assert "sees no graphics processor" in fit.reasons[0]


def test_a_large_graphics_processor_takes_every_layer() -> None:
    fit = fit_model(SEVEN_B, machine(16 * GB), [graphics(24 * GB)], context=2048)
    assert fit.gpu_layers == ALL
    assert fit.host_bytes < GB < 4 * GB < fit.device_bytes < 6 * GB
    assert "untested" in fit.reasons[0]


def test_a_small_one_takes_as_many_layers_as_it_holds() -> None:
    fits = [fit_model(SEVEN_B, machine(16 * GB), [graphics(free * GB // 2)], context=2048) for free in range(2, 12)]
    numbers = [fit.gpu_layers for fit in fits]
    assert numbers == sorted(numbers) and 0 < numbers[1] < ALL
    for fit in fits:
        if 0 < fit.gpu_layers < ALL and fit.device:
            left = fit.device.free_bytes - DEVICE_MARGIN_BYTES - fit.device_bytes
            assert 0 <= left < layer_bytes(SEVEN_B.layers[0], fit.need)


def test_a_longer_context_leaves_room_for_fewer_layers() -> None:
    short, long = (fit_model(SEVEN_B, machine(16 * GB), [graphics(4 * GB)], context=one) for one in (512, 8192))
    assert long.gpu_layers < short.gpu_layers


def test_a_model_too_large_for_the_machine_fits_with_its_layers_elsewhere() -> None:
    assert not fit_model(SEVEN_B, machine(3 * GB), context=2048).fits
    assert fit_model(SEVEN_B, machine(3 * GB), [graphics(4 * GB)], context=2048).fits


def test_memory_that_is_shared_is_counted_once_for_both() -> None:
    shared = fit_model(SEVEN_B, machine(4 * GB), [graphics(16 * GB, shares_memory=True)], context=2048)
    assert shared.gpu_layers == 0 and not shared.fits
    enough = fit_model(SEVEN_B, machine(6 * GB), [graphics(16 * GB, shares_memory=True)], context=2048)
    assert enough.gpu_layers == ALL


def test_tied_embeddings_are_on_the_device_once_more() -> None:
    tied, apart = (
        fit_model(replace(SEVEN_B, tied=one), machine(16 * GB), [graphics(24 * GB)], context=2048)
        for one in (True, False)
    )
    assert tied.device_bytes - apart.device_bytes == SEVEN_B.input_bytes


def test_a_number_of_layers_that_is_given_is_kept() -> None:
    fits = [
        fit_model(SEVEN_B, machine(16 * GB), [graphics(24 * GB)], context=2048, gpu_layers=number)
        for number in (0, 5, 1000)
    ]
    assert [fit.gpu_layers for fit in fits] == [0, 5, ALL]
    assert fits[0].host_bytes - fits[1].host_bytes == SEVEN_B.output.weights + 4 * layer_bytes(
        SEVEN_B.layers[0], fits[1].need
    )


def test_layers_asked_for_without_a_device_stay_where_they_are() -> None:
    fit = fit_model(SEVEN_B, machine(16 * GB), context=2048, gpu_layers=10)
    assert fit.gpu_layers == 0 and fit.host_bytes == fit.need.total


def test_repacked_weights_are_not_mapped() -> None:
    fit = fit_model(SEVEN_B, machine(16 * GB), context=2048, repack=True)
    assert fit.repacked and not fit.mapped


def test_threads_are_those_of_the_machine_with_the_reason() -> None:
    alike = fit_model(SEVEN_B, machine(16 * GB), context=512)
    assert alike.threads == 8 and "one for each core" in alike.reasons[1]
    hybrid = fit_model(SEVEN_B, machine(16 * GB, performance_cores=4), context=512)
    assert hybrid.threads == 4 and "fast core" in hybrid.reasons[1]
    bound = fit_model(SEVEN_B, machine(16 * GB, usable_cores=2), context=512)
    assert bound.threads == 2 and "no more cores" in bound.reasons[1]


def test_a_refusal_has_the_numbers_and_the_way_round() -> None:
    error = memory_short(fit_model(SEVEN_B, machine(3 * GB), context=8192))
    assert error.message == (
        "the model needs 5.9 GB of memory (4.7 GB weights, 1.1 GB for 8,192 tokens of context) and 3.0 GB is free"
    )
    assert error.hint == "close other programs, or choose a smaller model; --force loads it all the same"


def test_a_refusal_names_the_largest_context_that_would_fit() -> None:
    fit = fit_model(SEVEN_B, machine(5_500_000_000), context=8192)
    error = memory_short(fit, "use -m demo")
    assert f"-o context {fit.largest_context}" in error.hint
    largest, next_one = (memory_need(SEVEN_B, fit.largest_context + more).total for more in (0, 256))
    assert largest <= fit.available_bytes < next_one


@pytest.mark.parametrize(("smaller", "shown"), [("use -m demo", "use -m demo"), ("use\x1b[2J", "use?[2J")])
def test_a_refusal_names_the_smaller_choice_where_no_context_fits(smaller: str, shown: str) -> None:
    assert memory_short(fit_model(SEVEN_B, machine(3 * GB), context=512), smaller).hint.startswith(shown)
