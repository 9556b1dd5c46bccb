"""What is asked and what is answered: questionnaires, items, scales, submissions."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

#: Characters a free text may hold, line breaks counted as one.
TEXT_LIMIT = 2000

#: Bytes a ballot holds before sealing. Every ballot is padded to this size, so that a long story and a
#: single tick look alike; the catalogue refuses a questionnaire whose fullest answer would not fit.
BALLOT_BYTES = 9 * 1024


class Role(StrEnum):
    """In what capacity somebody was invited."""

    FAMILY = "family"
    KIN = "kin"
    CHILD = "child"
    PROFESSIONAL = "professional"


class Stage(StrEnum):
    """When, seen from the meeting, a questionnaire is answered."""

    AFTER = "after"


class Index(StrEnum):
    """What several items measure together."""

    PARTICIPATION = "participation"
    USEFULNESS = "usefulness"


class Construct(StrEnum):
    """What a single item is about."""

    PREPARATION = "preparation"
    SAFETY = "safety"
    VOICE = "voice"
    INFLUENCE = "influence"
    STRUCTURE = "structure"
    SHARED_UNDERSTANDING = "shared understanding"
    USEFULNESS = "usefulness"
    FOLLOW_THROUGH = "follow-through"
    TRUST = "trust"
    VOICE_OF_THE_FAMILY = "voice of the family"
    FREE_TEXT = "free text"


class ItemKind(StrEnum):
    """How an item is asked; one entry here has one entry in forms and in scoring."""

    AGREEMENT = "agreement"
    FACES = "faces"
    TEXT = "text"


class Missing(StrEnum):
    """Why there is no value. The three are kept apart: not knowing is not refusing."""

    UNKNOWN = "unknown"
    DECLINED = "declined"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Point:
    """One step of a scale; `face` (1 saddest - 5 gladdest) is drawn beside its words."""

    value: int
    text: str
    face: int | None = None


@dataclass(frozen=True)
class Item:
    """One question or statement. `optional` items may be left out by a municipality's settings."""

    id: str
    text: str
    kind: ItemKind
    construct: Construct
    index: Index | None = None
    hint: str | None = None
    optional: bool = False


@dataclass(frozen=True)
class Helpline:
    """A sentence on the page with a number to ring."""

    text: str
    phone: str


@dataclass(frozen=True)
class Questionnaire:
    """A form in its source language. `offered` are the ways of not answering that the page shows."""

    id: str
    version: int
    title: str
    promise: str
    status: str
    stage: Stage
    roles: frozenset[Role]
    points: tuple[Point, ...]
    offered: tuple[Missing, ...]
    items: tuple[Item, ...]
    helplines: tuple[Helpline, ...] = ()

    @property
    def closed_items(self) -> tuple[Item, ...]:
        """The items answered on the scale, in the order of the page."""
        return tuple(item for item in self.items if item.kind is not ItemKind.TEXT)

    def texts(self) -> dict[str, str]:
        """Every text a participant reads, by a key that is stable between languages."""
        texts = {"title": self.title, "promise": self.promise}
        texts |= {f"point.{point.value}": point.text for point in self.points}
        texts |= {f"helpline.{line.phone}": line.text for line in self.helplines}
        for item in self.items:
            texts[item.id] = item.text
            if item.hint:
                texts[f"{item.id}.hint"] = item.hint
        return texts


@dataclass(frozen=True)
class Answer:
    """What was said on one item: exactly one of a value, a text and a reason why there is neither."""

    value: int | None = None
    text: str | None = None
    missing: Missing | None = None

    def __post_init__(self) -> None:
        given = [part for part in (self.value, self.text, self.missing) if part is not None]
        if len(given) != 1:
            raise ValueError("an answer is exactly one of a value, a text and a missing reason")


@dataclass(frozen=True)
class Submission:
    """A form as one person sent it: the form's random id and the answers by item id, skipped ones left out."""

    id: str
    questionnaire: str
    version: int
    role: Role
    stage: Stage
    language: str
    answers: Mapping[str, Answer]


@dataclass(frozen=True)
class Response:
    """A counted answer sheet: everything that is known of it, and nothing of who or when. What was written in own
    words is kept apart from it."""

    id: str
    meeting: str
    stage: Stage
    role: Role
    questionnaire: str
    version: int
    language: str
    answers: Mapping[str, Answer]
