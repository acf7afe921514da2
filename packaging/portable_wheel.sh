#!/bin/sh
# Build llama-cpp-python's wheel so that it runs on any x86-64 Linux from the glibc that its name states:
#
#     packaging/portable_wheel.sh OUTDIR
#
# Needs a network (for the source), a C++ compiler and Python. PYTHON chooses the interpreter; the wheel serves all of them.
# About 13 minutes of one core: llama.cpp's processor code is compiled 14 times, and the best that a machine can run is
# chosen when MedPocket starts (medpocket/engine/start.py).
set -eu

if [ $# -ne 1 ]; then
    echo "usage: packaging/portable_wheel.sh OUTDIR" >&2
    exit 2
fi
case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) ;;
    *)
        echo "this builds on x86-64 Linux; this machine is $(uname -s) $(uname -m)" >&2
        echo "docs/kit.md names the script for each platform" >&2
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

CMAKE_ARGS="$everywhere -DGGML_BACKEND_DL=ON -DGGML_CPU_ALL_VARIANTS=ON -DCMAKE_INSTALL_RPATH='\$ORIGIN'"
export CMAKE_ARGS
fetch_llama_source
build_llama_wheel
lay_out_for_linux
