"""Build llama.cpp's own tools from the sources of the llama-cpp-python that is installed here.

    python tests/benchmarks/build_llama_cpp.py [FOLDER] [--target llama-server ...]

The source distribution is fetched by pip, in the version of the installed wheel, and built with the
wheel's own options: a shared Release build, ggml's defaults (`-march=native` among them), and whatever
the environment's CMAKE_ARGS says, which the wheel's build heeded too. The last line printed is the
folder of the programs. What is already built is not built again.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGE = "llama-cpp-python"
TARGETS = ("llama-bench", "llama-completion")
SOURCES = "/vendor/llama.cpp/"
OPTIONS = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DBUILD_SHARED_LIBS=ON",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_APP=OFF",
    "-DLLAMA_BUILD_SERVER=ON",  # made only where llama-server is asked for
    "-DLLAMA_BUILD_UI=OFF",
    "-DLLAMA_USE_PREBUILT_UI=OFF",  # would download the server's web page
    "-DLLAMA_OPENSSL=OFF",
)
# GCC 12 declares that its `_tile_loadconfig` reads 8 bytes, where the instruction reads 64, and drops the writes to the
# others: on processors with AMX llama.cpp then crashes as soon as it uses repacked weights, its default. This header
# goes before every C++ file and declares the instruction as it is, so that the defaults can be measured there too.
AMX_HEADER = """\
#if defined(__AMX_TILE__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 14
#include <immintrin.h>
#undef _tile_loadconfig
#define _tile_loadconfig(config) \\
    __asm__ volatile("ldtilecfg\\t%X0" ::"m"(*(const char(*)[64])(config)) : "memory")
#endif
"""


class BuildError(Exception):
    """The tools cannot be built; the message says why."""


def default_folder() -> Path:
    from medpocket.paths import cache_folder

    return cache_folder() / "benchmarks"


def installed_version() -> str:
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        raise BuildError(f"{PACKAGE} is not installed in {sys.prefix}: install MedPocket there first") from None


def programs_folder(folder: Path) -> Path:
    """Where the programs for the installed version are, or would be, below `folder`."""
    return folder / f"{PACKAGE}-{installed_version()}" / "build" / "bin"


def run(command: list[str]) -> None:
    """Run `command` with its output on our stderr. Raises BuildError."""
    try:
        subprocess.run(command, check=True, stdout=sys.stderr)
    except FileNotFoundError:
        raise BuildError(f"{command[0]} is not installed") from None
    except subprocess.CalledProcessError as error:
        raise BuildError(f"exit code {error.returncode} of: {shlex.join(command)}") from None


def fetch_archive(release: str, into: Path) -> Path:
    """Download the source distribution with pip, in pip's isolated build environment."""
    run([
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
        *("--no-binary", PACKAGE, "--dest", str(into), f"{PACKAGE}=={release}"),
    ])  # fmt: skip
    archives = sorted(into.glob("*.tar.gz"))
    if len(archives) != 1:
        raise BuildError(f"pip left {len(archives)} source archives of {PACKAGE} {release}, not one")
    return archives[0]


def unpack_sources(archive: Path, source: Path) -> None:
    """Unpack the archive's llama.cpp into the new folder `source`, all of it or nothing."""
    with tempfile.TemporaryDirectory(dir=source.parent) as scratch:
        with tarfile.open(archive) as tar:
            members = [member for member in tar if SOURCES in member.name]
            if hasattr(tarfile, "data_filter"):
                tar.extractall(scratch, members, filter="data")
            else:  # Python before 3.10.12
                tar.extractall(scratch, members)
        found = sorted(Path(scratch).glob("*" + SOURCES))
        if len(found) != 1:
            raise BuildError(f"{archive.name} holds no llama.cpp")
        found[0].rename(source)


def cmake_options(header: Path) -> list[str]:
    """The options of the build, those of the environment last, where they win."""
    flags = f"{os.environ.get('CXXFLAGS', '')} -include {shlex.quote(str(header))}".strip()
    return [*OPTIONS, f"-DCMAKE_CXX_FLAGS={flags}", *shlex.split(os.environ.get("CMAKE_ARGS", ""))]


def build_tools(folder: Path, targets: tuple[str, ...], jobs: int) -> Path:
    """Build what is missing of `targets`; the folder of the programs. Raises BuildError."""
    programs = programs_folder(folder)
    build = programs.parent
    source, header, record = (build.parent / name for name in ("llama.cpp", "amx.h", "options.json"))
    options = cmake_options(header)
    configured = record.exists() and json.loads(record.read_text()) == options
    if configured and all((programs / target).is_file() for target in targets):
        return programs
    source.parent.mkdir(parents=True, exist_ok=True)
    if not source.exists():
        with tempfile.TemporaryDirectory() as download:
            unpack_sources(fetch_archive(installed_version(), Path(download)), source)
    if not configured:
        header.write_text(AMX_HEADER)
        run(["cmake", "-S", str(source), "-B", str(build), *options])
        record.write_text(json.dumps(options))
    run(["cmake", "--build", str(build), "--parallel", str(jobs), "--target", *targets])
    return programs


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="where to build (default: MedPocket's cache folder)")
    parser.add_argument("--target", action="append", help=f"build this target (default: {' and '.join(TARGETS)})")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="compile this many files at a time")
    arguments = parser.parse_args()
    try:
        folder = arguments.folder.resolve() if arguments.folder else default_folder()
        print(build_tools(folder, tuple(arguments.target or TARGETS), arguments.jobs))
    except BuildError as error:
        print(f"build_llama_cpp: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
