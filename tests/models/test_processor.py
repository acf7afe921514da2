from pathlib import Path

from medpocket.models.processor import cpu_list, performance_cores, read_cpuinfo, read_sysctl, sysctl_fields


def plant(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_processors_of_both_kinds_are_read() -> None:
    intel = (
        "processor\t: 0\nmodel name\t: Some Xeon\nflags\t\t: fpu pni ssse3 avx avx2 fma f16c bmi2 avx512f amx_int8\n"
    )
    model, features = read_cpuinfo(intel * 2)
    assert model == "Some Xeon"
    assert set(features) == {"SSE3", "SSSE3", "F16C", "FMA", "BMI2", "AVX", "AVX2", "AVX512", "AMX_INT8"}
    arm = "processor : 0\nFeatures : fp asimd asimdhp asimddp i8mm sve\nHardware : A Board\n"
    assert read_cpuinfo(arm) == ("A Board", ("NEON", "FP16_VA", "DOTPROD", "MATMUL_INT8", "SVE"))
    assert read_cpuinfo("") == ("", ())


def test_apples_processors_are_read() -> None:
    text = (
        "machdep.cpu.brand_string: Apple M2\nhw.optional.neon: 1\nhw.optional.arm.FEAT_DotProd: 1\n"
        "hw.optional.arm.FEAT_I8MM: 1\nhw.optional.avx2_0: 0\n"
    )
    assert read_sysctl(sysctl_fields(text)) == ("Apple M2", ("NEON", "DOTPROD", "MATMUL_INT8"))
    assert read_sysctl(sysctl_fields("machdep.cpu.brand_string: Apple M9\n")) == ("Apple M9", ("NEON",))
    assert read_sysctl({}) == ("unknown", ())


def test_intels_fast_cores_are_counted_whole(tmp_path: Path) -> None:
    files = {"cpu_core/cpus": "0-3\n", "cpu_atom/cpus": "4-11\n"}
    files |= {
        f"system/cpu/cpu{one}/topology/thread_siblings_list": f"{one // 2 * 2}-{one // 2 * 2 + 1}" for one in range(4)
    }
    assert performance_cores(plant(tmp_path, files)) == 2


def test_arms_fast_cores_are_those_with_most_capacity(tmp_path: Path) -> None:
    capacities = (400, 400, 870, 870, 1024)
    files = {f"system/cpu/cpu{number}/cpu_capacity": f"{one}\n" for number, one in enumerate(capacities)}
    assert performance_cores(plant(tmp_path, files)) == 3


def test_cores_that_are_alike_are_not_told_apart(tmp_path: Path) -> None:
    assert performance_cores(tmp_path) is None
    assert performance_cores(plant(tmp_path, {f"system/cpu/cpu{one}/cpu_capacity": "1024" for one in range(4)})) is None
    assert performance_cores(plant(tmp_path / "b", {"cpu_core/cpus": "0-3"})) is None


def test_lists_of_processors_are_read() -> None:
    assert cpu_list("0-3,8") == {0, 1, 2, 3, 8}
    assert cpu_list("") == cpu_list("x-2") == cpu_list("0-99999999") == set()
