"""Where things live: the platform's own folders, or all below `MEDPOCKET_HOME` when that is set."""

import os
from pathlib import Path

PACKAGE = Path(__file__).parent
# In a wheel models.toml and assets/ stand inside the package; in a checkout, beside it.
RESOURCES = PACKAGE if (PACKAGE / "models.toml").exists() else PACKAGE.parent


def _folder(kind: str) -> Path:
    """One of platformdirs' `user_{kind}_path`, or the folder of that name below `MEDPOCKET_HOME`."""
    home = os.environ.get("MEDPOCKET_HOME")
    if home:
        return Path(home).expanduser() / kind
    import platformdirs

    path: Path = getattr(platformdirs, f"user_{kind}_path")("medpocket", appauthor=False)
    return path


def config_folder() -> Path:
    return _folder("config")


def data_folder() -> Path:
    return _folder("data")


def cache_folder() -> Path:
    return _folder("cache")


def state_folder() -> Path:
    return _folder("state")


def log_folder() -> Path:
    return _folder("log")


def history_folder() -> Path:
    return data_folder() / "history"


def models_folder() -> Path:
    return data_folder() / "models"


def machine_models_folder() -> Path:
    """Models for every user of this machine, which an administrator put there; it need not exist."""
    override = os.environ.get("MEDPOCKET_MACHINE_MODELS")
    if override:
        return Path(override)
    import platformdirs

    return platformdirs.site_data_path("medpocket", appauthor=False) / "models"


def machine_config_folder() -> Path:
    """Settings for every user of this machine, read before the user's own."""
    override = os.environ.get("MEDPOCKET_MACHINE_CONFIG")
    if override:
        return Path(override)
    import platformdirs

    return platformdirs.site_config_path("medpocket", appauthor=False)


def registry_file() -> Path:
    return RESOURCES / "models.toml"


def assets_folder() -> Path:
    return RESOURCES / "assets"


def make_private(folder: Path) -> Path:
    """Create `folder` and its missing parents, readable by this user alone. Raises OSError."""
    for missing in reversed([path for path in folder.parents if not path.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)  # `parents` would make them with the mode that the umask leaves
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
