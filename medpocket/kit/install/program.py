"""Make an installation from the kit's wheels: pip from its own wheel, virtualenv, pipx, and with that MedPocket.

virtualenv makes the environment that pipx keeps pip in, since the Python of a distribution may have no ensurepip.
"""

import os
import subprocess
import sys
from pathlib import Path

from medpocket.errors import KitError
from medpocket.kit.install.places import COMMAND, Places, executable_of, write_version

WHEELS = "wheels"  # in the kit
# Of the user's own Python, pip, pipx, virtualenv and uv, nothing may change what is installed here.
_NOT_PASSED_ON = ("PYTHON", "PIP_", "PIPX_", "VIRTUALENV_", "VIRTUAL_ENV", "UV_", "CONDA_", "MEDPOCKET_")
_RUN_MODULE = """\
import runpy, sys
tools, module = sys.argv[1:3]
sys.argv[:3] = [module]
sys.path.insert(0, tools)
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""
_TRIAL = ("ask", "-m", "demo", "-n", "-o", "max_tokens", "4", "What is asthma?")


class Installer:
    """Makes one installation; what its tools say goes into the log."""

    def __init__(self, kit: Path, places: Places, installation: Path) -> None:
        self.kit, self.places, self.installation = kit, places, installation
        self.temporary = installation / "tmp"  # beside the program: where /tmp is small or noexec, that does not matter
        self.tools = installation / "tools"

    def install_tools(self) -> None:
        """Put pipx and virtualenv into the installation. Raises KitError and OSError."""
        self.temporary.mkdir(mode=0o700)
        pip = next(iter(sorted((self.kit / WHEELS).glob("pip-*.whl"), reverse=True)), None)
        if pip is None:
            raise KitError("the kit has no wheel of pip", "get the kit anew from whoever made it")
        self._run(
            sys.executable, "-I", str(pip / "pip"), "install", "--no-compile", "--target", str(self.tools),
            "pipx", "virtualenv",
        )  # fmt: skip
        shared = self.installation / "shared"
        self._tool("virtualenv", "--python", sys.executable, "--no-vcs-ignore", "--no-periodic-update", str(shared))

    def install_medpocket(self, version: str) -> None:
        """Have pipx install MedPocket, and write down which version it is. Raises KitError and OSError."""
        self._tool("pipx", "install", "--python", sys.executable, f"{COMMAND}=={version}")
        write_version(self.installation, version)

    def try_it(self) -> None:
        """Let the new installation answer once, in a home of its own. Raises KitError."""
        home = {"MEDPOCKET_HOME": str(self.temporary / "home")}
        self._run(str(executable_of(self.installation)), *_TRIAL, failing="was installed, but cannot answer", more=home)

    def _tool(self, module: str, *arguments: str) -> None:
        self._run(sys.executable, "-I", "-c", _RUN_MODULE, str(self.tools), module, *arguments)

    def _run(
        self,
        *command: str,
        failing: str = "could not be installed",
        more: dict[str, str] | None = None,
    ) -> None:
        """Run a command, its words into the log. Raises KitError with the last of them where it fails, and OSError."""
        descriptor = os.open(self.places.log, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "r+b") as log:
            before = log.seek(0, os.SEEK_END)
            try:
                done = subprocess.run(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.installation,
                    env=self.environment() | (more or {}),
                    check=False,
                )
            except PermissionError:
                raise KitError(
                    f"{command[0]} may not be run",
                    "is the home folder mounted noexec? ask whoever looks after the machine",
                ) from None
            if done.returncode:
                log.seek(before)
                said = [line.strip() for line in log.read().decode(errors="replace").splitlines() if line.strip()]
                reason = f" ({said[-1][:200]})" if said else ""
                raise KitError(
                    f"MedPocket {failing}{reason}",
                    f"what was there before still works; the whole story: {self.places.log}",
                )

    def environment(self) -> dict[str, str]:
        """The environment of the tools: nothing of the user's own settings, no index, no cache, no network."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_PASSED_ON)}
        return kept | {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_FIND_LINKS": (self.kit / WHEELS).as_uri(),  # as an address: pip splits the variable at spaces
            "PIP_NO_CACHE_DIR": "1",
            "PIP_NO_INDEX": "1",
            "PIP_NO_INPUT": "1",
            "PIP_ONLY_BINARY": ":all:",
            "PIPX_BIN_DIR": str(self.installation / "bin"),
            "PIPX_DEFAULT_BACKEND": "pip",
            "PIPX_DISABLE_SHARED_LIBS_AUTO_UPGRADE": "1",
            "PIPX_HOME": str(self.installation / "pipx"),
            "PIPX_MAN_DIR": str(self.installation / "share" / "man"),
            "PIPX_COMPLETION_DIR": str(self.installation / "share"),
            "PIPX_SHARED_LIBS": str(self.installation / "shared"),
            "PYTHONUTF8": "1",
            "TEMP": str(self.temporary),
            "TMP": str(self.temporary),
            "TMPDIR": str(self.temporary),
            "USE_EMOJI": "0",
            "VIRTUALENV_CONFIG_FILE": os.devnull,
            "VIRTUALENV_OVERRIDE_APP_DATA": str(self.temporary / "virtualenv"),
        }
