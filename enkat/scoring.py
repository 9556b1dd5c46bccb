"""Answers -> index scores from 0 to 100, by response."""

from collections.abc import Mapping, Sequence

from enkat.model.survey import Answer, Index, Item, ItemKind, Point, Questionnaire


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
