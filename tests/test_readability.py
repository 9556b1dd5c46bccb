"""Swedish that a tired parent and a nine-year-old can read: LIX, and one idea a sentence."""

import pytest

from enkat.model.survey import Role
from tests.conftest import Town
from tests.inspection import InspectingClient, Page
from tests.readability import lix, sentences, sentences_of_page

ADULTS, CHILDREN = 30, 20
LONGEST_SENTENCE = 25


@pytest.mark.parametrize(
    ("text", "words_a_sentence", "long", "index"),
    [
        ("Jag fick sagt det jag ville säga.", 7, 0, 7),
        ("Det kändes tryggt. Vi träffades igen.", 3, 1, 3 + 100 / 6),
        ("Integritetsskyddsmyndigheten", 1, 1, 101),
        ("Ring Bris: 116 111.", 1.5, 0, 1.5),
    ],
)
def test_the_index_is_counted_as_bjornsson_did(text: str, words_a_sentence: float, long: int, index: float) -> None:
    said = sentences(text)
    assert lix(said) == pytest.approx(index)
    assert (index > words_a_sentence) is (long > 0)


@pytest.mark.parametrize(
    ("role", "questionnaire", "limit"),
    [
        (Role.FAMILY, "adult", ADULTS),
        (Role.PROFESSIONAL, "professional", ADULTS),
        (Role.CHILD, "child", CHILDREN),
        (Role.CHILD, "child_small", CHILDREN),
    ],
)
def test_a_form_is_easy_to_read(
    participant: InspectingClient, town: Town, role: Role, questionnaire: str, limit: int
) -> None:
    """The form as a whole, what went wrong with it, and the thanks."""
    key = town.personal(town.meeting(), role, questionnaire).key
    opened = participant.get(f"/{key}")
    empty = participant.post(f"/{key}", data=Page(opened.text).form_values())
    thanks = participant.post(f"/{key}", data=Page(opened.text).form_values() | {"safe": "2"})
    for page in (opened, empty, thanks):
        judge(page.text, limit)


@pytest.mark.parametrize("path", ["/", "/privacy", "/accessibility", "/withdraw", "/AAAAAAAAAA"])
def test_everything_else_a_participant_meets_is_easy_to_read(participant: InspectingClient, path: str) -> None:
    judge(participant.get(path).text, ADULTS)


def test_what_is_said_in_the_room_and_on_a_slip_is_easy_enough_for_children(
    coordinator: InspectingClient, town: Town
) -> None:
    meeting = town.meeting()
    for page in ("announcement", "slips"):
        html = coordinator.get(f"/staff/meetings/{meeting.id}/{page}").text
        start = html.index('<div class="announcement"' if page == "announcement" else '<div class="sheet"')
        judge(f"<main>{html[start:]}", CHILDREN)


def judge(html: str, limit: int) -> None:
    """No page over the limit, and no sentence that has to be read twice."""
    said = sentences_of_page(html)
    assert len(said) > 2
    assert lix(said) <= limit, f"LIX {lix(said):.1f}; the heaviest: {max(said, key=lambda one: lix([one]))}"
    too_long = [one for one in said if len(one.split()) > LONGEST_SENTENCE]
    assert not too_long, too_long
