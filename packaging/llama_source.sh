# Read by the scripts that build llama-cpp-python's wheel; `here` (packaging/), `out` and `work` (a folder to use up) are
# theirs. Sets `python`, the interpreter of an environment of its own, and `source`, the folder of the source.

llama_version=$(sed -n 's/.*"llama-cpp-python==\([0-9.]*\)".*/\1/p' "$here/../pyproject.toml")
"${PYTHON:-python3}" -m venv "$work/environment"
python=$work/environment/bin/python
source=$work/llama_cpp_python-$llama_version

# What every recipe gives to CMake: nothing of the processor that compiles, and all libraries in one folder of the wheel.
# No versions in names: a wheel has no symbolic links, and what would be links become copies, each another library.
everywhere="-DGGML_NATIVE=OFF -DLLAVA_BUILD=OFF -DCMAKE_PROJECT_llama_cpp_INCLUDE='$here/llama_only.cmake' \
-DCMAKE_PLATFORM_NO_VERSIONED_SONAME=ON -DCMAKE_INSTALL_BINDIR=llama_cpp/lib -DCMAKE_INSTALL_LIBDIR=llama_cpp/lib"

# Fetch the source of the version that pyproject.toml names.
fetch_llama_source() {
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary llama-cpp-python \
        --dest "$work/fetched" "llama-cpp-python==$llama_version"
    tar -xzf "$work/fetched"/*.tar.gz -C "$work"
}

# Build it with CMAKE_ARGS into $work/built.
build_llama_wheel() {
    # The folder's name would stand in every message that names a source file.
    CFLAGS="${CFLAGS:-} -ffile-prefix-map=$work=."
    CXXFLAGS="${CXXFLAGS:-} -ffile-prefix-map=$work=."
    export CFLAGS CXXFLAGS
    "$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$work/built" "$source"
}

# Check what was built, carry OpenMP's library with it, and write the wheel into $out. Takes portable_layout.py's options.
lay_out_for_linux() {
    openmp_licence=/usr/share/doc/libgomp1/copyright
    [ ! -f $openmp_licence ] || set -- "$@" --licence $openmp_licence
    "$python" "$here/portable_layout.py" "$work"/built/*.whl "$out" --licence "$source/vendor/llama.cpp/LICENSE" \
        --carry "$(${CC:-cc} -print-file-name=libgomp.so.1)" "$@"
}
