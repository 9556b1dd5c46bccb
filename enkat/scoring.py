"""Answers -> index scores from 0 to 100, by response."""

from collections.abc import Mapping, Sequence

from enkat.model.survey import Answer, Index, Item, ItemKind, Point, Questionnaire

#: A score in so many parts of a point is a whole number for any index of up to ten items on a usual scale. Sums of
#: whole numbers come out the same in whatever order answers are read.
PARTS = 2520


def _on_scale(value: int, points: Sequence[Point]) -> float:
    """A value's place between the scale's ends: five points give 0 25 50 75 100, three faces 0 50 100."""
    low, high = points[0].value, points[-1].value
    return (value - low) / (high - low) * 100


#: How each kind of item is scored; None for what has no score.
SCORERS = {ItemKind.AGREEMENT: _on_scale, ItemKind.FACES: _on_scale, ItemKind.TEXT: None}


def item_score(item: Item, answer: Answer | None, points: Sequence[Point]) -> float | None:
    """One answer as 0-100, or None where there is no value to score."""
    scorer = SCORERS[item.kind]
    if scorer is None or answer is None or answer.value is None:
        return None
    return scorer(answer.value, points)


def index_score(questionnaire: Questionnaire, index: Index, answers: Mapping[str, Answer]) -> float | None:
    """The equal-weight mean of an index's answered items, 0-100; None unless at least half are answered."""
    items = [item for item in questionnaire.items if item.index is index]
    scores = [
        score for item in items if (score := item_score(item, answers.get(item.id), questionnaire.points)) is not None
    ]
    if not scores or 2 * len(scores) < len(items):
        return None
    return sum(scores) / len(scores)


def in_parts(score: float | None) -> int | None:
    """A score in whole parts of a point."""
    return None if score is None else round(score * PARTS)
