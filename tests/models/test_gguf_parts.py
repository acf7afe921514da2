from pathlib import Path

import pytest

from medpocket.errors import ModelFileError
from medpocket.models.gguf_check import check_model_file
from tests.models.gguf_editing import I32, STRING, U16, U32, Parts, parts_of, take_apart, write


def split(folder: Path, count: int = 3) -> list[Path]:
    """A tiny model in `count` parts, as llama.cpp's own tool splits them."""
    whole = parts_of("llama", folder)
    everything, paths = whole.tensors, []
    for number in range(count):
        part = Parts(whole.version, list(whole.pairs) if number == 0 else [], everything[number::count])
        part.set("general.architecture", STRING, "llama")
        part.set("split.no", U16, number)
        part.set("split.count", U16, count)
        part.set("split.tensors.count", I32, len(everything))
        part.layout()
        paths.append(write(part, folder, f"tiny-{number + 1:05}-of-{count:05}.gguf"))
    return paths


def refusal(path: Path) -> ModelFileError:
    with pytest.raises(ModelFileError) as caught:
        check_model_file(path)
    return caught.value


def rewrite(path: Path, key: str, kind: int, value: object) -> None:
    parts = take_apart(path.read_bytes())
    parts.set(key, kind, value)
    parts.layout()
    path.write_bytes(parts.write())


def test_the_first_part_stands_for_the_whole_model(tmp_path: Path) -> None:
    paths = split(tmp_path)
    whole = check_model_file(tmp_path / "seed.gguf")
    gguf = check_model_file(paths[0])
    assert gguf.other_parts == tuple(paths[1:])
    assert gguf.parameters == whole.parameters
    assert gguf.tensor_bytes == whole.tensor_bytes
    assert gguf.size == sum(path.stat().st_size for path in paths)


def test_a_later_part_is_refused_with_the_name_of_the_first(tmp_path: Path) -> None:
    error = refusal(split(tmp_path)[1])
    assert "is part 2 of 3 of a model" in error.message
    assert error.hint == "give the first part, tiny-00001-of-00003.gguf"


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    paths = split(tmp_path)
    paths[2].unlink()
    error = refusal(paths[0])
    assert "part 3 of 3 of the model is missing: tiny-00003-of-00003.gguf" in error.message
    assert "one folder" in error.hint


def test_a_renamed_first_part_is_refused_with_the_name_it_needs(tmp_path: Path) -> None:
    first = split(tmp_path)[0]
    error = refusal(first.rename(tmp_path / "renamed.gguf"))
    assert "its name does not say so" in error.message
    assert "-00001-of-00003.gguf" in error.hint


def test_a_truncated_part_is_named(tmp_path: Path) -> None:
    paths = split(tmp_path)
    paths[1].write_bytes(paths[1].read_bytes()[:-64])
    assert "tiny-00002-of-00003.gguf is not complete" in refusal(paths[0]).message


def test_a_part_that_is_another_one_is_refused(tmp_path: Path) -> None:
    paths = split(tmp_path)
    paths[2].write_bytes(paths[1].read_bytes())
    assert "not part 3, as its name says" in refusal(paths[0]).message


@pytest.mark.parametrize(("key", "kind"), [("split.count", U32), ("split.no", U32), ("split.no", I32)])
def test_part_numbers_of_another_type_are_refused(tmp_path: Path, key: str, kind: int) -> None:
    """llama.cpp reads those of later parts without looking at the type, and aborts."""
    paths = split(tmp_path)
    rewrite(paths[0], key, kind, 3 if key == "split.count" else 0)
    assert f"({key})" in refusal(paths[0]).message


def test_a_later_part_without_its_number_is_refused(tmp_path: Path) -> None:
    paths = split(tmp_path)
    parts = take_apart(paths[1].read_bytes())
    parts.drop("split.no")
    paths[1].write_bytes(parts.write())
    assert "(split.no)" in refusal(paths[0]).message


def test_parts_that_hold_fewer_tensors_than_announced_are_refused(tmp_path: Path) -> None:
    paths = split(tmp_path)
    rewrite(paths[0], "split.tensors.count", I32, 99)
    assert "hold 30 tensors, and it announces 99" in refusal(paths[0]).message


def test_a_tensor_in_two_parts_is_refused(tmp_path: Path) -> None:
    paths = split(tmp_path)
    parts = take_apart(paths[1].read_bytes())
    parts.tensors[0].name = b"token_embd.weight"
    paths[1].write_bytes(parts.write())
    assert "tensor token_embd.weight is in two of its parts" in refusal(paths[0]).message
