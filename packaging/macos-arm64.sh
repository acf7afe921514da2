#!/bin/sh
# Build llama-cpp-python's wheel for Macs with Apple's own processors, on one of them with Xcode's command line tools:
#
#     packaging/macos-arm64.sh OUTDIR
#
# llama.cpp computes on the graphics processor through Metal, with the shaders inside its library.
set -eu

if [ $# -ne 1 ]; then
    echo "usage: packaging/macos-arm64.sh OUTDIR" >&2
    exit 2
fi
case "$(uname -s)-$(uname -m)" in
    Darwin-arm64) ;;
    *)
        echo "this builds on a Mac with Apple's own processor; this machine is $(uname -s) $(uname -m)" >&2
        exit 2
        ;;
esac
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# shellcheck source=packaging/llama_source.sh
. "$here/llama_source.sh"

# All that may be taken from the processor is what the first of them, the M1, has; Metal does the work.
MACOSX_DEPLOYMENT_TARGET=14.0
CMAKE_ARGS="$everywhere -DCMAKE_OSX_ARCHITECTURES=arm64 -DGGML_METAL=ON -DGGML_METAL_EMBED_LIBRARY=ON \
-DGGML_OPENMP=OFF -DCMAKE_INSTALL_RPATH=@loader_path"
export MACOSX_DEPLOYMENT_TARGET CMAKE_ARGS
fetch_llama_source
build_llama_wheel
"$python" "$here/portable_layout.py" "$work"/built/*.whl "$out" --licence "$source/vendor/llama.cpp/LICENSE" \
    --platform macosx_14_0_arm64
