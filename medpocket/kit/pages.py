"""The pages that a kit carries: one for the person with the stick, one of licences and advisories."""

from medpocket.kit.contents import Contents
from medpocket.kit.manifest import Manifest
from medpocket.kit.wheels import Wheel

README, LICENCES = "README.txt", "licences.txt"

_README = """\
MedPocket {version} for {platform}
{underline}
A clinician's assistant that answers on this machine alone: nothing that you type leaves it.
{untested}
INSTALL  (no network, no administrator, no compiler)

{install}

  It checks every file of this folder first, and says what is wrong before it changes anything.

WHAT IT NEEDS

  {platform}, Python {pythons}{glibc}, {room} free in your home folder.

WHAT IS IN IT

{models}
  {experts} experts; licences and advisories: {licences}

IS IT GENUINE?

  {signed}

LATER

  A newer kit       install it over this one: your history and settings stay.
  Remove it         {remove}
                    The history, settings and models stay; with --remove-data they go too.
  A model again     medpocket models import FOLDER-OF-THIS-KIT
  Is all well?      medpocket doctor

{advisories}"""

_INSTALL_UNIX = """\
  1. Open a terminal.
  2. Type  sh  and a space, drag the file install.sh into the terminal, press Enter.
  3. Type what it shows at its end, and press Enter."""
_INSTALL_WINDOWS = """\
  1. Open PowerShell.
  2. Type  powershell -ExecutionPolicy Bypass -File  and a space, drag install.ps1 into it, press Enter.
  3. Type what it shows at its end, and press Enter."""
_UNTESTED = """
UNTESTED: this kit was made for a platform on which this project has installed none.
"""
_EMULATED = """
UNTESTED on a real machine: this project has installed kits for this platform in an emulator alone.
"""


def readme(contents: Contents, manifest: Manifest, signed: bool) -> str:
    """One page for the person with the stick."""
    platform = contents.platform
    windows = platform.system == "win32"
    heading = f"MedPocket {manifest.medpocket} for {platform.title}"
    script = "powershell -ExecutionPolicy Bypass -File install.ps1" if windows else "sh install.sh"
    advised = [f"{one.title}: {one.advisory}" for one in contents.models if one.advisory]
    return _README.format(
        version=manifest.medpocket,
        platform=platform.title,
        underline="=" * len(heading),
        untested="" if manifest.tested else _EMULATED if platform.emulated else _UNTESTED,
        install=_INSTALL_WINDOWS if windows else _INSTALL_UNIX,
        pythons=" or ".join(contents.pythons),
        glibc=f", glibc {contents.glibc} or newer" if contents.glibc else "",
        room=_size(contents.room + sum(model.size for model in manifest.models)),
        models="\n".join(f"  {one.title}, licence {one.licence}" for one in contents.models),
        experts=len(contents.experts),
        licences=LICENCES,
        signed=(
            f"It is signed. With the public key of whoever made it, which must not come on this stick:\n"
            f"  {script} --key KEYFILE"
            if signed
            else "It is not signed: ask whoever gave it to you."
        ),
        remove=f"{script} --uninstall",
        advisories="".join(f"{line}\n" for line in advised),
    )


def licences(contents: Contents) -> str:
    """What everything in the kit may be used for, and what the makers of the models advise."""
    lines = ["Licences and advisories", "", "Models"]
    for one in contents.models:
        lines += [f"  {one.title}", f"    licence: {one.licence}"]
        record = one.installed.record if one.installed else None
        if record and record.repository:
            lines.append(f"    from: {record.repository}, commit {record.commit or 'not known'}")
        if one.advisory:
            lines.append(f"    advisory: {one.advisory}")
    lines += ["", "Adapters of experts that were added where the kit was made"]
    for adapter in contents.adapters:
        record_ = adapter.record
        lines.append(f"  {record_.expert} for {record_.base_name}: licence {record_.licence or 'not stated'}")
    lines += ["" if contents.adapters else "  none", "Packages, each with its licence's text inside its wheel"]
    lines += [f"  {wheel.name} {wheel.version}: {_licence(wheel)}" for wheel in contents.wheels]
    return "\n".join(line for line in lines) + "\n"


def _licence(wheel: Wheel) -> str:
    """What the package's metadata say, in the newer form, the older one, or as a classifier."""
    named = wheel.metadata.get("License-Expression") or wheel.metadata.get("License") or ""
    first = " ".join(named.split("\n")[0].split())
    if first and len(first) <= 80:
        return first
    classified = [one for one in wheel.metadata.get_all("Classifier") or [] if one.startswith("License ::")]
    return ", ".join(one.rpartition("::")[2].strip() for one in classified) or "stated in the wheel"


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 10**9 else f"{count / 1e6:.0f} MB"
