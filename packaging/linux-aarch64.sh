#!/bin/sh
# Build llama-cpp-python's wheel so that it runs on any 64-bit ARM Linux from the glibc that its name states:
#
#     packaging/linux-aarch64.sh OUTDIR
#
# Works on such a machine, and on x86-64 Linux with Debian's g++-aarch64-linux-gnu. llama.cpp's processor code is compiled
# 8 times, from plain ARMv8 to SVE2 and SME, or 6 times where the compiler knows no SME: GCC before 14.
set -eu

if [ $# -ne 1 ]; then
    echo "usage: packaging/linux-aarch64.sh OUTDIR" >&2
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# shellcheck source=packaging/llama_source.sh
. "$here/llama_source.sh"

CMAKE_ARGS="$everywhere -DGGML_BACKEND_DL=ON -DGGML_CPU_ALL_VARIANTS=ON -DCMAKE_INSTALL_RPATH='\$ORIGIN'"
case "$(uname -s)-$(uname -m)" in
    Linux-aarch64) ;;
    Linux-x86_64)
        for compiler in gcc g++; do
            command -v aarch64-linux-gnu-$compiler > /dev/null || {
                echo "there is no aarch64-linux-gnu-$compiler: install g++-aarch64-linux-gnu" >&2
                exit 1
            }
        done
        CC=aarch64-linux-gnu-gcc CXX=aarch64-linux-gnu-g++
        export CC CXX
        CMAKE_ARGS="$CMAKE_ARGS -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64"
        ;;
    *)
        echo "this builds on ARM or x86-64 Linux; this machine is $(uname -s) $(uname -m)" >&2
        echo "docs/kit.md names the script for each platform" >&2
        exit 2
        ;;
esac
export CMAKE_ARGS
fetch_llama_source
if ! echo 'int main(void) { return 0; }' | "${CC:-cc}" -march=armv9.2-a+sme -x c -c -o /dev/null - 2> /dev/null; then
    sed -i '/variant(armv9\.2_[12] .* SME)/d' "$source/vendor/llama.cpp/ggml/src/CMakeLists.txt"
fi
build_llama_wheel
lay_out_for_linux
