# Install MedPocket from the kit that this file lies in, or remove it.
# UNTESTED: this project has not run it on Windows yet.
#   powershell -ExecutionPolicy Bypass -File install.ps1 [--help]
$ErrorActionPreference = 'Stop'

$kit = Split-Path -Parent $MyInvocation.MyCommand.Path
$list = Join-Path $kit 'installer\pythons'
if (-not (Test-Path -LiteralPath $list)) {
    [Console]::Error.WriteLine("install.ps1: $kit is not a whole kit: installer\pythons is missing")
    [Console]::Error.WriteLine('run the install.ps1 that lies in the kit, and copy the kit anew if it does')
    exit 1
}
$wanted = (Get-Content -LiteralPath $list -TotalCount 1).Trim() -split ' '

# Each candidate is a command and what goes before the script: the launcher `py` finds what is not on PATH.
$candidates = @()
if ($env:MEDPOCKET_PYTHON) {
    $candidates += , @($env:MEDPOCKET_PYTHON)
} else {
    for ($i = $wanted.Count - 1; $i -ge 0; $i--) { $candidates += , @('py', "-$($wanted[$i])") }
    $candidates += , @('python3')
    $candidates += , @('python')
}

$chosen = $null
$seen = @()
foreach ($candidate in $candidates) {
    $command = $candidate[0]
    $before = @($candidate | Select-Object -Skip 1)
    if (-not (Get-Command $command -ErrorAction SilentlyContinue)) { continue }
    try {
        $version = & $command @before -E -s -c "import sys; print('%d.%d' % sys.version_info[:2])" 2>$null
    } catch { continue }
    if ($LASTEXITCODE -ne 0 -or -not $version) { continue }
    $seen += $version
    if ($wanted -contains $version) { $chosen = $candidate; break }
}
if (-not $chosen) {
    $has = if ($seen) { $seen -join ', ' } else { 'none' }
    [Console]::Error.WriteLine("install.ps1: this kit needs Python $($wanted -join ' or '); this machine has: $has")
    [Console]::Error.WriteLine('have one of them installed, or ask for a kit for yours: medpocket bundle build --python 3.N')
    exit 1
}

$command = $chosen[0]
$before = @($chosen | Select-Object -Skip 1)
$start = @'
import sys
sys.path.insert(0, sys.argv[1])
from medpocket.kit.install.main import main
sys.exit(main(sys.argv[2], sys.argv[3:]))
'@
& $command @before -I -B -c $start (Join-Path $kit 'installer') $kit @args
exit $LASTEXITCODE
