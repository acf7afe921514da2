"""Load the model that answers, as `medpocket ask` does."""

from collections.abc import Callable
from dataclasses import replace

from medpocket.config import load_settings, sampling_for
from medpocket.errors import AdapterError
from medpocket.experts.library import Library
from medpocket.loading import answered_by, assistant_on, load_located
from medpocket.models.locate import default_model, locate_model
from medpocket.registry import load_registry
from medpocket.text import printable
from medpocket.tui.messages import ModelInfo, ModelLoading
from medpocket.tui.services.engine_thread import Loaded, LoadModel, Post


def load_installed(request: LoadModel, post: Post) -> Loaded:
    """Locate, check and load a model, and post its name on the way. Raises MedpocketError."""
    registry = load_registry()
    configured = load_settings()
    name = request.name or default_model(registry, configured.model)
    located = locate_model(name, registry)
    spec = located.spec
    title = spec.title if spec else printable(located.path.name)
    post(ModelLoading(title))
    settings, sampling = sampling_for(configured, spec.sampling if spec else {}, {})
    engine = load_located(
        located,
        registry,
        replace(settings, context=configured.context),
        progress=_progress(title, post),
    )
    model = engine.model
    info = ModelInfo(
        id=name,
        name=printable(model.name).removeprefix("MedPocket "),
        quantization=printable(model.quantization),
        context=model.context,
        size_bytes=model.size_bytes,
        gpu_layers=model.gpu_layers,
        demonstration=model.demonstration,
        advisory=(spec.advisory or "") if spec else "",
        adapters=_adapters(model.fingerprint),
    )
    return Loaded(info, answered_by(located, model), engine, assistant_on(engine, registry, sampling))


def _progress(title: str, post: Post) -> Callable[[float], None]:
    """Post how much is loaded, at every whole percent."""
    told = 0

    def tell(share: float) -> None:
        nonlocal told
        if int(share * 100) > told:
            told = int(share * 100)
            post(ModelLoading(title, share))

    return tell


def _adapters(fingerprint: str) -> frozenset[str]:
    """The experts that have an adapter for the model. A broken record is told when its expert answers."""
    try:
        return frozenset(one.record.expert for one in Library().entries() if one.record.fingerprint == fingerprint)
    except AdapterError:
        return frozenset()
