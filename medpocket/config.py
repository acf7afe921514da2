"""Settings: `config.toml` of the machine, below it the user's, below that the options of one command.

Every field of `Settings` carries its rule and its documentation; the checks, the example file and
docs/settings.md are made from them.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from medpocket import paths
from medpocket.errors import OptionError
from medpocket.toml_file import (
    Choice,
    Flag,
    Number,
    Rule,
    TableOf,
    Text,
    about,
    broken,
    keys_of,
    read_toml_if_there,
    table_of,
)
from medpocket.types import Sampling

FILE_NAME = "config.toml"
LARGEST_CONTEXT_UNASKED = 4096  # tokens: f16 keys and values of a 7B Mistral take 128 KiB each, so 512 MiB
OPTION_NAME_LENGTH = 24

# When a change reaches an app that is open; a command reads its settings anew each time.
AT_ONCE = "at once"
NEXT_LOAD = "when it loads a model next"
NEXT_START = "when it is opened next"

# What a token is chosen by; the registry's `sampling` tables and `-o` follow the same rules.
SAMPLING_RULES: dict[str, Rule] = {
    "temperature": Number(0, 2),
    "top_k": Number(0, 1000, whole=True),
    "top_p": Number(0, 1, above=True),
    "min_p": Number(0, 1),
    "repeat_penalty": Number(0.5, 2),
    "repeat_last_n": Number(0, 4096, whole=True),
    "max_tokens": Number(1, 32768, whole=True),
    "seed": Number(0, 2**32 - 1, whole=True),
}


def _sampling(name: str, doc: str, example: str) -> dict[str, Any]:
    """Describe a field that overrides one of `Sampling` and is None where a file says nothing."""
    built_in = getattr(Sampling(), name)
    unset = "another one for every answer" if built_in is None else f"the model's own row, else {built_in}"
    return about(SAMPLING_RULES[name], doc, unset=unset, example=example, in_app=NEXT_LOAD)


@dataclass(frozen=True)
class Settings:
    """What the user, or the machine's administrator, has chosen; None where a field is left to MedPocket."""

    model: str | None = field(
        default=None,
        metadata=about(
            Text("the id of a model or the path of a GGUF file"),
            "The model that answers when a command names none: an id of the registry, or the path of a GGUF file "
            "(absolute, or from `~`).",
            unset="BioMistral-7B where it is installed, else the demonstration model",
            example='"biomistral-7b-q4"',
            in_app=NEXT_LOAD,
        ),
    )
    context: int | None = field(
        default=None,
        metadata=about(
            Number(128, 1048576, whole=True),
            "Tokens that the model can have before it at once: conversation, question and answer together. "
            "Memory for them is taken when the model is loaded. "
            "With `-o`, more than the model was trained on is refused; here it is an upper bound.",
            unset=f"what the model was trained on, at most {LARGEST_CONTEXT_UNASKED:,}",
            example="2048",
            in_app=NEXT_LOAD,
        ),
    )
    threads: int | None = field(
        default=None,
        metadata=about(
            Number(1, 512, whole=True),
            "Processor threads that compute. More than there are physical cores seldom helps.",
            unset="the number of physical cores",
            example="4",
            in_app=NEXT_LOAD,
        ),
    )
    gpu_layers: int | None = field(
        default=None,
        metadata=about(
            Number(0, 1000, whole=True),
            "Layers of the model that a graphics processor computes; 0 leaves everything to the processor. Any other "
            "number needs a llama.cpp built for your graphics processor.",
            unset="as many as its free memory holds, where llama.cpp sees a graphics processor",
            example="0",
            in_app=NEXT_LOAD,
        ),
    )
    repack: bool = field(
        default=False,
        metadata=about(
            Flag(),
            "Let llama.cpp rearrange the weights for this processor while it loads them. Off, the file is mapped and "
            "its memory is shared and given back under pressure; on, as much memory is this process's own. Measured on "
            "a 7B Q4_K_M file with 2 cores, on against off: 9.8 against 8.7 tokens a second of answer, but 35.0 "
            "against 57.6 of prompt, and 2.4 against 0.1 s to load.",
            in_app=NEXT_LOAD,
        ),
    )
    batch: int = field(
        default=512,
        metadata=about(
            Number(16, 4096, whole=True),
            "Tokens of a prompt that are computed at once. Fewer take less memory and are slower.",
            in_app=NEXT_LOAD,
        ),
    )
    temperature: float | None = field(
        default=None,
        metadata=_sampling(
            "temperature", "How far from the likeliest next word an answer may stray; 0 always takes it.", "0.2"
        ),
    )
    top_k: int | None = field(
        default=None,
        metadata=_sampling("top_k", "Choose among this many likeliest tokens; 0 sets no limit.", "40"),
    )
    top_p: float | None = field(
        default=None,
        metadata=_sampling("top_p", "Choose among the likeliest tokens that make up this share together.", "0.95"),
    )
    min_p: float | None = field(
        default=None,
        metadata=_sampling("min_p", "Leave out tokens less likely than this share of the likeliest one.", "0.05"),
    )
    repeat_penalty: float | None = field(
        default=None,
        metadata=_sampling("repeat_penalty", "Above 1, words used already become less likely; 1 is off.", "1.1"),
    )
    repeat_last_n: int | None = field(
        default=None,
        metadata=_sampling("repeat_last_n", "How many of the last tokens `repeat_penalty` looks at.", "256"),
    )
    max_tokens: int | None = field(
        default=None,
        metadata=_sampling("max_tokens", "Tokens after which an answer is cut off.", "512"),
    )
    seed: int | None = field(
        default=None,
        metadata=_sampling("seed", "With the same seed, machine and settings, an answer comes out the same.", "1"),
    )
    allow_pull: bool = field(
        default=True,
        metadata=about(
            Flag(),
            "Whether `medpocket models pull` and `experts add hub:...` may fetch files over the network. Nothing else "
            "ever does.",
            machine_decides="yes",
            in_app=AT_ONCE,
        ),
    )
    require_encrypted_history: bool = field(
        default=False,
        metadata=about(
            Flag(),
            "Whether questions and answers are kept only in a history that is locked with a passphrase. An answer is "
            "given all the same; it is not kept, and that is said.",
            machine_decides="yes",
            in_app=NEXT_START,
        ),
    )
    log_level: str = field(
        default="warning",
        metadata=about(
            Choice(("warning", "info")),
            "What is written to the log file: warnings and errors, or also what llama.cpp says about a model while it "
            "loads it. Neither holds text of a question or an answer.",
            in_app=NEXT_LOAD,
        ),
    )
    theme: str = field(
        default="dark",
        metadata=about(
            Choice(("dark", "light", "contrast", "ansi")),
            "The colours of the app: `contrast` is black and white with few others, `ansi` takes the terminal's own.",
            in_app=AT_ONCE,
        ),
    )
    lock_after: float = field(
        default=15,
        metadata=about(
            Number(0, 1440),
            "Minutes without a key after which the app locks an encrypted history and hides the conversation; 0 never "
            "does.",
            in_app=AT_ONCE,
        ),
    )
    keys: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}),
        hash=False,
        metadata=about(
            TableOf(Text("the id of a key", r"[a-z]+\.[a-z_]+"), Text("keys, separated by commas")),
            "Other keys for the app, by the ids in docs/app.md.",
            unset="the keys in docs/app.md",
            example='{ "chat.new" = "ctrl+k" }',
            in_app=AT_ONCE,
        ),
    )


def machine_file() -> Path:
    """The settings of this machine, for every user; it need not exist."""
    return paths.machine_config_folder() / FILE_NAME


def user_file() -> Path:
    """The user's own settings; it need not exist."""
    return paths.config_folder() / FILE_NAME


MACHINE_DECIDES = frozenset(entry.name for entry in fields(Settings) if "machine_decides" in entry.metadata)


def load_settings(*files: Path) -> Settings:
    """Read `files`, later ones over earlier ones; by default the machine's config.toml and then the user's.

    A file that is not there says nothing. Raises SettingsError for one that is there and broken, and for one that
    changes what the first file, the machine's, has decided for all.
    """
    if not files:
        files = (machine_file(), user_file())
    rule = table_of(Settings)
    chosen: dict[str, Any] = {}
    for path in files:
        content = read_toml_if_there(path)
        if content is not None:
            rule.check(path, "", content)
            for name in MACHINE_DECIDES & content.keys() & chosen.keys():
                if content[name] != chosen[name]:
                    decided = f"{as_toml(chosen[name])} is decided for this machine, in {files[0]}"
                    raise broken(path, name, decided, "delete the line")
            chosen.update(content)
    return Settings(**chosen)


def option_rules() -> dict[str, Number]:
    """Return the settings that `-o KEY VALUE` can change for one command: those that are numbers."""
    rules = {entry.name: entry.metadata["rule"] for entry in keys_of(Settings)}
    return {name: rule for name, rule in rules.items() if isinstance(rule, Number)}


def sampling_for(
    settings: Settings, model_sampling: Mapping[str, Any], options: Mapping[str, str]
) -> tuple[Settings, Sampling]:
    """Return the settings with what `-o KEY VALUE` changes for one command, and how to choose tokens by all of it.

    Each goes over the ones before it: built in, the model's row, the settings, the options.
    Raises OptionError for a key that does not exist (with the nearest) and for a value that is no number or
    out of its range. A value is never repeated in the message: it could be a question in the wrong place.
    """
    settings = replace(settings, **_parsed(options))
    chosen = {name: getattr(settings, name) for name in SAMPLING_RULES}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    return settings, Sampling(**{**model_sampling, **chosen})


def _parsed(options: Mapping[str, str]) -> dict[str, Any]:
    rules = option_rules()
    values: dict[str, Any] = {}
    for name, text in options.items():
        if name not in rules:
            raise _unknown_option(name, rules)
        try:
            values[name] = rules[name].parse(text)
        except ValueError as error:
            raise OptionError(f"option {name} {error}", f"for example: -o {name} {_example(name)}") from None
    return values


def _unknown_option(name: str, rules: Mapping[str, Number]) -> OptionError:
    from difflib import get_close_matches

    nearest = get_close_matches(name.lower().replace("-", "_"), list(rules), n=1, cutoff=0.5)
    # Something long or with spaces is a question that lost its place, and is not repeated.
    called = repr(name) if len(name) <= OPTION_NAME_LENGTH and name.replace("-", "_").isidentifier() else "of that name"
    return OptionError(
        f"there is no option {called}",
        f"did you mean {nearest[0]!r}?" if nearest else f"the options are: {', '.join(rules)}",
    )


def _example(name: str) -> str:
    entry = next(entry for entry in fields(Settings) if entry.name == name)
    return str(entry.metadata.get("example") or as_toml(entry.default))


def as_toml(value: object) -> str:
    """Write a value as a line of config.toml has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def example_toml() -> str:
    """Return a config.toml with every setting explained and commented out."""
    from textwrap import wrap

    blocks = ["# Settings of MedPocket. Take away the # before a line to change it."]
    for entry in keys_of(Settings):
        known = entry.metadata
        words = [known["doc"], f"Must be {known['rule'].describe()}.", f"Unless set: {unless_set(entry)}."]
        lines = [f"# {line}" for text in words for line in wrap(text, 96)]
        blocks.append("\n".join([*lines, f"# {entry.name} = {_example(entry.name)}"]))
    return "\n\n".join(blocks) + "\n"


def unless_set(entry: Any) -> str:
    """Say what holds where no file says anything of a setting."""
    return str(entry.metadata.get("unset") or as_toml(entry.default))


def settings_page() -> str:
    """Return docs/settings.md."""
    options = option_rules()
    rows = [
        f"| `{entry.name}`{' (`-o`)' if entry.name in options else ''} | {entry.metadata['doc']} "
        f"| {entry.metadata['rule'].describe()} | {unless_set(entry)} | {entry.metadata['in_app']} |"
        for entry in keys_of(Settings)
    ]
    return _PAGE.format(
        rows="\n".join(rows),
        example=example_toml(),
        decided=", ".join(f"`{name}`" for name in sorted(MACHINE_DECIDES)),
    )


_PAGE = """# Settings

<!-- Written by `make settings-page` from medpocket/config.py: change the fields of Settings there, not this page. -->

Settings are lines of a file `config.toml`. There can be two:

1. The machine's, for every user: in the folder that your system keeps for such files (Linux: `/etc/xdg/medpocket`),
   or in the folder that `MEDPOCKET_MACHINE_CONFIG` names.
2. Your own: in your configuration folder (Linux: `~/.config/medpocket`), or in `config` below `MEDPOCKET_HOME` where
   that is set. `medpocket doctor` prints the folder.

A setting of your own replaces the machine's, except {decided}: there the machine's stands, and a file of yours that
says otherwise is refused. A file that is broken is named, with the key and the reason, and nothing
runs until it is mended or moved away: a setting that an administrator made is never skipped in silence.

The app changes your own file on its [screen of settings](app.md#settings): comments, order, and whatever else stands
in the file stay as they are.

How an answer's words are chosen is looked up in four places, each over the ones before it: what is built in, the
`sampling` table of the model's row in the registry (docs/models.md), these files, and `-o KEY VALUE` of the command.
`-o` takes every setting marked (`-o`):

    medpocket ask -o temperature 0 -o max_tokens 200 "What are the symptoms of glaucoma?"

| setting | what it does | must be | unless set | an open app takes it |
| --- | --- | --- | --- | --- |
{rows}

## A file to start from

```toml
{example}```
"""

if __name__ == "__main__":
    sys.stdout.write(settings_page())
