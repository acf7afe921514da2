"""Turns for tests."""

from medpocket.store.history import History
from medpocket.store.records import AnsweredBy, Asked, State, StoredTurn
from medpocket.types import ActiveAdapter, Evidence, GenerationStats, Sampling

MODEL = AnsweredBy("scripted", "Q4_K_M", "f" * 64, "a" * 64)
STATS = GenerationStats(48, 10, 38, 20, 0.5, 1.5, 0.6, 123_456, 7, 1)


def asked(question: str = "What is glaucoma?", expert: str = "eye_ent", **more: object) -> Asked:
    return Asked(question, MODEL, expert, **more)  # type: ignore[arg-type]


FULL = Asked(
    question="What is glaucoma?",
    model=MODEL,
    expert="eye_ent",
    title="Eye and ENT",
    why="glaucoma",
    line="Answer as an ophthalmologist.",
    score=0.91,
    scores={"eye_ent": 0.91, "general": 0.09},
    evidence=(Evidence("glaucoma", 2.5),),
    adapters=(ActiveAdapter("eye_ent", "b" * 64, 0.75),),
    sampling=Sampling(temperature=0.5, seed=7),
    notices=("neurology is close",),
)


def keep(
    history: History,
    question: str = "What is glaucoma?",
    answer: str = "An eye disease.",
    *,
    expert: str = "eye_ent",
    conversation: str | None = None,
    parent: int | None = None,
) -> StoredTurn:
    """Keep a turn, whole."""
    recording = history.begin(asked(question, expert), conversation=conversation, parent=parent)
    recording.append(answer)
    recording.finish(State.COMPLETE, answer=answer, stop="end", stats=STATS)
    return history.turn(recording.turn.id)
