# Read by the scripts that build llama-cpp-python's wheel; `here` (packaging/) and `work` (a folder to use up) are theirs.
# Sets `python`, the interpreter of an environment of its own, and `source`, the folder of the source.

llama_version=$(sed -n 's/.*"llama-cpp-python==\([0-9.]*\)".*/\1/p' "$here/../pyproject.toml")
"${PYTHON:-python3}" -m venv "$work/environment"
python=$work/environment/bin/python
source=$work/llama_cpp_python-$llama_version

# Fetch the source of the version that pyproject.toml names, and build it with CMAKE_ARGS into $work/built.
build_llama_wheel() {
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary llama-cpp-python \
        --dest "$work/fetched" "llama-cpp-python==$llama_version"
    tar -xzf "$work/fetched"/*.tar.gz -C "$work"
    # The folder's name would stand in every message that names a source file.
    CFLAGS="${CFLAGS:-} -ffile-prefix-map=$work=."
    CXXFLAGS="${CXXFLAGS:-} -ffile-prefix-map=$work=."
    export CFLAGS CXXFLAGS
    "$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$work/built" "$source"
}
