#!/bin/sh
# Build llama-cpp-python's wheel for a Jetson Orin (JetPack 6), on such a board:
#
#     packaging/linux-aarch64-jetson.sh OUTDIR
#
# llama.cpp computes on the graphics processor where CUDA 12 is there, which JetPack brings, and on the processor otherwise.
# For the processor alone, on this board or another one, there is packaging/linux-aarch64.sh.
set -eu

if [ $# -ne 1 ]; then
    echo "usage: packaging/linux-aarch64-jetson.sh OUTDIR" >&2
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

# That of Orin's Cortex-A78AE. All variants of ARM code would need GCC 14, and this board has one processor.
CMAKE_ARGS="$everywhere -DGGML_BACKEND_DL=ON -DGGML_CPU_ARM_ARCH=armv8.2-a+dotprod+fp16 -DCMAKE_INSTALL_RPATH='\$ORIGIN'"
cuda=/usr/local/cuda
case "$(uname -s)-$(uname -m)" in
    Linux-aarch64)
        if [ ! -x $cuda/bin/nvcc ]; then
            echo "there is no CUDA compiler in $cuda/bin: JetPack brings it (apt-get install nvidia-jetpack)" >&2
            exit 1
        fi
        PATH=$cuda/bin:$PATH
        CMAKE_ARGS="$CMAKE_ARGS -DGGML_CUDA=ON -DCMAKE_CUDA_ARCHITECTURES=87"
        folder=$(cd $cuda/targets/aarch64-linux/lib && pwd -P)
        set -- --system libcudart.so.12 --system libcublas.so.12 --system libcuda.so.1 \
            --search "$folder" --search $cuda/lib64 --search $cuda/targets/aarch64-linux/lib
        ;;
    *)
        echo "this builds on a Jetson; this machine is $(uname -s) $(uname -m)" >&2
        exit 2
        ;;
esac
export PATH CMAKE_ARGS
fetch_llama_source
build_llama_wheel
lay_out_for_linux "$@"
