# Build llama-cpp-python's wheel for every x86-64 processor, on Windows with Visual Studio 2022's C++ build tools:
#
#     powershell -ExecutionPolicy Bypass -File packaging\windows-x86_64.ps1 OUTDIR
#
# Run it in the "x64 Native Tools" prompt. The runtime library of Visual C++ is carried; Windows may lack it.
param([Parameter(Mandatory = $true)][string]$OutDir)
$ErrorActionPreference = 'Stop'

if (-not $env:VCToolsRedistDir) {
    [Console]::Error.WriteLine('the compiler is not set up: run this in the "x64 Native Tools" prompt')
    exit 1
}
function Invoke-Checked {
    param([string]$Program, [string[]]$Arguments)
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
}

$here = $PSScriptRoot
$found = Select-String -Path "$here\..\pyproject.toml" -Pattern '"llama-cpp-python==([0-9.]+)"'
$version = $found.Matches[0].Groups[1].Value
$work = Join-Path ([IO.Path]::GetTempPath()) ([IO.Path]::GetRandomFileName())
New-Item -ItemType Directory -Path $work, $OutDir -Force | Out-Null
try {
    $base = if ($env:PYTHON) { $env:PYTHON } else { 'py' }
    Invoke-Checked $base @('-m', 'venv', "$work\environment")
    $python = "$work\environment\Scripts\python.exe"
    $pip = @('-m', 'pip', '--quiet', '--disable-pip-version-check')
    Invoke-Checked $python ($pip + @('download', '--no-deps', '--no-binary', 'llama-cpp-python', '--dest', "$work\fetched",
            "llama-cpp-python==$version"))
    Invoke-Checked 'tar' @('-xzf', "$work\fetched\llama_cpp_python-$version.tar.gz", '-C', $work)
    # Ninja puts libraries where CMake's files say; Visual Studio's own generator adds a folder for the configuration.
    $env:CMAKE_GENERATOR = 'Ninja'
    $llamaOnly = "$here\llama_only.cmake" -replace '\\', '/'
    $env:CMAKE_ARGS = '-DGGML_NATIVE=OFF -DGGML_BACKEND_DL=ON -DGGML_CPU_ALL_VARIANTS=ON -DGGML_OPENMP=OFF ' +
    '-DLLAVA_BUILD=OFF -DCMAKE_INSTALL_BINDIR=llama_cpp/lib -DCMAKE_INSTALL_LIBDIR=llama_cpp/lib ' +
    "-DCMAKE_PROJECT_llama_cpp_INCLUDE='$llamaOnly'"
    $source = "$work\llama_cpp_python-$version"
    Invoke-Checked $python ($pip + @('wheel', '--no-deps', '--wheel-dir', "$work\built", $source))
    $runtime = Get-ChildItem "$env:VCToolsRedistDir\x64\Microsoft.VC*.CRT" |
        Where-Object { $_.Name -in 'msvcp140.dll', 'vcruntime140.dll', 'vcruntime140_1.dll' }
    $carried = $runtime | ForEach-Object { '--carry'; $_.FullName }
    $built = (Get-ChildItem "$work\built\*.whl").FullName
    Invoke-Checked $python (@("$here\portable_layout.py", $built, $OutDir, '--platform', 'win_amd64',
            '--licence', "$source\vendor\llama.cpp\LICENSE") + $carried)
} finally {
    Remove-Item -Recurse -Force $work
}
