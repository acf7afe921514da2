"""What there is to say of an adapter, as words for people, and whether its file is what was recorded."""

from medpocket.errors import AdapterError
from medpocket.experts.library import Entry


def gain_words(gain: float | None) -> str:
    """Say the perplexity on held-out text of the specialty, over that of the base model; below 1 is better."""
    return f"x {gain:.2f}" if gain else "not measured"


def problem_of(entry: Entry) -> str | None:
    """Read all of the file and its weights; None where it is what was added, and can be used."""
    from medpocket.experts.matrices import check_weights

    try:
        entry.load()
        check_weights(entry.path)
    except AdapterError as error:
        return f"{error.message}; {error.hint}"
    return None


def details_of(entry: Entry) -> list[tuple[str, str]]:
    """Read the file and say all about it, as labels and words. Raises AdapterError where it is not what was added."""
    record, adapter = entry.record, entry.load()
    kind = "activated: the conversation is read without it" if adapter.invocation else "ordinary: it reads everything"
    changes = f"rank {adapter.rank} on {', '.join(adapter.targets)}"
    return [
        ("adapter for", f"{record.base_name} (fingerprint {record.fingerprint[:16]})"),
        ("kind", kind),
        ("size", f"{record.size:,} bytes: {changes}, {adapter.quantization}"),
        ("perplexity", f"x {record.gain:.3f} on held-out text" if record.gain else gain_words(None)),
        ("data", record.training_data or "not stated"),
        ("licence", record.licence or "not stated"),
        ("from", "MedPocket" if entry.shipped else f"{record.source}, added {record.added}"),
        ("file", str(entry.path)),
        ("SHA-256", record.sha256),
    ]
