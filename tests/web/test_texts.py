"""Free texts through the web: the evaluator's desk, the page of what is released, and what is said to whoever wrote."""

import re
from collections.abc import Iterator
from datetime import date
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlite_utils import Database
from werkzeug.test import TestResponse

from enkat import clearing, counting, worker
from enkat.identifiers import BLANK, blanked
from enkat.model.staff import StaffRole
from enkat.model.survey import TEXT_LIMIT, Role
from enkat.model.text import BATCH, TextState
from enkat.storage import texts
from enkat.wording import REFUSALS
from tests.conftest import TODAY, Town, signed_in
from tests.inspection import InspectingClient, Page
from tests.web.hostile import PAYLOADS, case, contents
from tests.written import clear_all, lay, lock, state, states

DESK, RELEASED = "/staff/texts", "/results/texts"

ARABIC = "كان الاجتماع جيدا، شكرا لكم"
CHILD = "Jag vill inte att de ska bråka när jag hör på"
RETOLD = "Barnet vill slippa höra vuxna gräla."


@pytest.fixture
def other(app: Flask, town: Town) -> InspectingClient:
    """Another evaluator, of the same municipality."""
    return signed_in(app, town, town.add_staff("maj@mitthem.example", town.municipality, StaffRole.EVALUATOR))


# Who sees what


def test_only_an_evaluator_opens_the_desk(
    coordinator: InspectingClient,
    administrator: InspectingClient,
    evaluator: InspectingClient,
    stranger: InspectingClient,
    db: Database,
) -> None:
    [one] = lay(db, "en hemlig text")
    there = contents(db)
    for client in (coordinator, administrator):
        reply = client.get(DESK)
        assert reply.status_code == 403
        assert "hemlig" not in reply.text
        for act in ("clear", "withhold"):
            token = Page(client.get("/staff/account").text).form_values()["csrf_token"]
            reply = client.post(f"{DESK}/{one}/{act}", data={"csrf_token": token, "wording": "x"})
            assert reply.status_code == 403
    assert stranger.get(DESK).status_code == 303
    assert stranger.post(f"{DESK}/{one}/withhold").status_code in (303, 400)
    assert contents(db) == there
    assert "en hemlig text" in evaluator.get(DESK).text


def test_the_way_to_the_desk_is_shown_to_those_alone_who_may_go_it(
    coordinator: InspectingClient, administrator: InspectingClient, evaluator: InspectingClient
) -> None:
    for client, may in ((coordinator, False), (administrator, False), (evaluator, True)):
        for path in ("/staff", RELEASED):
            ways = [a.get("href") for a in Page(client.get(path).text).all("a")]
            assert (DESK in ways) is may, path


def test_what_is_released_is_seen_by_all_who_are_signed_in_and_by_nobody_else(
    coordinator: InspectingClient,
    administrator: InspectingClient,
    evaluator: InspectingClient,
    stranger: InspectingClient,
    db: Database,
) -> None:
    clear_all(db, lay(db, *(f"text {n}." for n in range(BATCH))))
    for client in (coordinator, administrator, evaluator):
        page = client.get(RELEASED).text
        assert sorted(quotes(page)) == sorted(f"text {n}." for n in range(BATCH))
    assert stranger.get(RELEASED).status_code == 303
    assert "Håll inne texten" not in coordinator.get(RELEASED).text
    assert evaluator.get(RELEASED).text.count("Håll inne texten") == BATCH


@pytest.mark.parametrize("before", sorted(set(TextState) - {TextState.RELEASED, TextState.LOCKED}))
def test_what_is_not_released_stands_on_no_page_that_everybody_sees(
    coordinator: InspectingClient, evaluator: InspectingClient, db: Database, before: TextState
) -> None:
    lay(db, *(f"hemlig {n}" for n in range(BATCH - 1)), state=before)
    for client in (coordinator, evaluator):
        for path in (RELEASED, f"{RELEASED}?all=1", "/results", "/results/years", "/results.csv", "/staff"):
            assert "hemlig" not in client.get(path).text, path


def test_texts_that_still_gather_are_not_on_the_desk(evaluator: InspectingClient, db: Database) -> None:
    lay(db, "hemlig text", state=TextState.GATHERING)
    page = evaluator.get(DESK).text
    assert "hemlig" not in page
    assert "Inga texter att läsa nu" in page


def test_a_text_on_the_desk_or_released_tells_nothing_of_where_it_comes_from(
    evaluator: InspectingClient, participant: InspectingClient, town: Town, db: Database
) -> None:
    """Its meeting, reference, unit, role, questionnaire, question and days stand nowhere on the pages."""
    meetings = [town.meeting({Role.KIN: 6}, town.assignment(f"REF-{n}")) for n in range(2)]
    for meeting in meetings:
        for person in range(6):
            said = {item: str(1 + person % 5) for item in ("prep", "safe", "say", "influence", "useful", "follow")}
            key = town.rooms(meeting)[Role.KIN].key
            assert participant.submit(f"/{key}", words=f"skrivet {person}", **said).status_code == 200
        counting.close_and_count(db, town.house.keys, meeting.id, TODAY)
    assert worker.work(town.at(date(2027, 1, 2))).published
    assert states(db) == {TextState.READABLE: 12}
    desk = evaluator.get(DESK).text
    clear_all(db, [one.id for one in texts.in_state(db, TextState.READABLE, BATCH)])
    whole = desk + evaluator.get(DESK).text + evaluator.get(RELEASED).text
    assert whole.count("skrivet") > 2 * BATCH
    told = [*(meeting.id for meeting in meetings), "REF-", "Norr", "kin", "Anhörig", "words", "2026", "november", "Q4"]
    read = re.sub(r'name="csrf_token"[^>]*>', "", re.sub(r"(?s)<head>.*?</head>", "", whole))
    assert not [word for word in told if re.search(rf"\b{word}", read)]


# Empty states


def test_where_nothing_is_released_the_page_says_when_there_will_be(
    coordinator: InspectingClient, evaluator: InspectingClient
) -> None:
    for client in (coordinator, evaluator):
        page = client.get(RELEASED)
        assert page.status_code == 200
        assert "Inga texter är släppta än." in page.text
        assert quotes(page.text) == []


def test_an_empty_desk_says_why_it_is_empty(evaluator: InspectingClient) -> None:
    page = evaluator.get(DESK)
    assert page.status_code == 200
    assert "<h1>Inga texter att läsa nu</h1>" in page.text
    assert f"minst {BATCH} nya" in page.text
    assert quotes(page.text) == []


def test_the_desk_says_how_many_there_are_to_read_and_how_many_are_lacking(
    evaluator: InspectingClient, db: Database
) -> None:
    ids = lay(db, *(f"text {n}" for n in range(14)))
    page = evaluator.get(DESK).text
    assert "<h1>14 texter att läsa</h1>" in page
    assert f"De första {BATCH} visas" in page
    assert len(quotes(page)) == BATCH
    for one in ids[:4]:
        assert clear(evaluator, one, "så").status_code == 303
    page = evaluator.get(DESK).text
    assert "<h1>10 texter att läsa</h1>" in page
    assert "De första" not in page
    assert "4 texter är klara" in page
    assert "När 6 till är klara" in page
    assert withhold(evaluator, ids[0]).status_code == 303
    page = evaluator.get(DESK).text
    assert "3 texter är klara" in page
    assert "1 text hålls inne" in page


def test_the_latest_five_batches_are_shown_and_the_others_when_they_are_asked_for(
    coordinator: InspectingClient, db: Database
) -> None:
    for batch in range(6):
        clear_all(db, lay(db, *(f"{batch} text {n}" for n in range(BATCH))))
    page = coordinator.get(RELEASED)
    assert [one.split()[0] for one in quotes(page.text)[::BATCH]] == ["5", "4", "3", "2", "1"]
    [older] = [a["href"] for a in Page(page.text).all("a") if "all=1" in a.get("href", "")]
    page = coordinator.get(older)
    assert [one.split()[0] for one in quotes(page.text)[::BATCH]] == ["5", "4", "3", "2", "1", "0"]
    assert len(quotes(page.text)) == 6 * BATCH
    assert not [a for a in Page(page.text).all("a") if "all=1" in a.get("href", "")]


# Reading


def test_a_text_is_cleared_as_it_is_with_one_tap(evaluator: InspectingClient, db: Database) -> None:
    """The form beside a text holds the text, so that whoever changes nothing sends it unchanged."""
    words = 'Rad ett.\n\nRad <två> & "tre"\n</textarea><b>'
    [one] = lay(db, words)
    form = form_of(evaluator.get(DESK).text, one)
    assert form["wording"] == words
    reply = clear(evaluator, one, form["wording"])
    assert (reply.status_code, reply.headers["Location"]) == (303, DESK)
    assert "Texten är klar." in evaluator.get(DESK).text
    found = texts.find(db, one)
    assert found is not None
    assert (found.wording, found.state) == (words, TextState.CLEARED)


def test_a_long_text_of_many_lines_is_cleared_as_it_is_by_a_browser(evaluator: InspectingClient, db: Database) -> None:
    words = "\n".join(["x" * 99] * 20)
    assert len(words) < TEXT_LIMIT
    [one] = lay(db, words)
    form = form_of(evaluator.get(DESK).text, one)
    assert clear(evaluator, one, form["wording"].replace("\n", "\r\n")).status_code == 303
    assert [found.wording for found in texts.in_state(db, TextState.CLEARED, 9)] == [words]


def test_a_text_that_may_name_somebody_is_marked(evaluator: InspectingClient, db: Database) -> None:
    named, unnamed = lay(db, "Min syster Sara grät.", "Min syster grät.")
    page = evaluator.get(DESK).text
    assert "Kanske ett namn" in item(page, named)
    assert "Kanske ett namn" not in item(page, unnamed)


def test_a_childs_text_is_marked_and_comes_with_an_empty_field(evaluator: InspectingClient, db: Database) -> None:
    [child], [adult] = lay(db, CHILD, is_child=True), lay(db, "En vuxens text")
    page = evaluator.get(DESK).text
    assert "Ett barns text" in item(page, child)
    assert "Ett barns text" not in item(page, adult)
    assert form_of(page, child)["wording"] == ""
    assert form_of(page, adult)["wording"] == "En vuxens text"
    assert clear(evaluator, child, RETOLD).status_code == 303
    page = evaluator.get(DESK).text
    assert CHILD not in page
    assert form_of(page, child)["wording"] == RETOLD
    better = form_of(page, child) | {"wording": f"{RETOLD} Så är det."}
    assert press(evaluator, child, "clear", **better).status_code == 303
    assert state(db, child) is TextState.CLEARED


def test_what_is_withheld_stays_in_reach(evaluator: InspectingClient, db: Database) -> None:
    [one] = lay(db, "En text")
    assert withhold(evaluator, one).status_code == 303
    page = evaluator.get(DESK).text
    assert "Texten visas inte." in page
    assert "1 text hålls inne" in page
    assert "1 text är läst och visas inte." in evaluator.get(RELEASED).text
    assert clear(evaluator, one, form_of(page, one)["wording"]).status_code == 303
    assert states(db) == {TextState.CLEARED: 1}


def test_the_tenth_releases_them_and_the_page_says_so(evaluator: InspectingClient, db: Database) -> None:
    ids = lay(db, *(f"text {n}" for n in range(BATCH)))
    for number, one in enumerate(ids):
        assert quotes(evaluator.get(RELEASED).text) == []
        assert clear(evaluator, one, f"så {number}").status_code == 303
        assert ("Tio nya texter är släppta." in evaluator.get(DESK).text) is (number == BATCH - 1)
    assert sorted(quotes(evaluator.get(RELEASED).text)) == sorted(f"så {n}" for n in range(BATCH))


def test_a_released_text_can_be_withheld_from_its_page(
    evaluator: InspectingClient, coordinator: InspectingClient, db: Database
) -> None:
    ids = lay(db, *(f"text {n}." for n in range(BATCH)))
    clear_all(db, ids)
    assert evaluator.press(RELEASED, f"{DESK}/{ids[3]}/withhold").status_code == 303
    assert sorted(quotes(coordinator.get(RELEASED).text)) == [f"text {n}." for n in range(BATCH) if n != 3]
    assert "1 text är läst och visas inte." in coordinator.get(RELEASED).text


# Refusals


#: What is refused, whose text it is, and why.
REFUSED = {
    "nothing": ("", False, "text_empty"),
    "only spaces": (" \n ", False, "text_empty"),
    "too long": ("x" * (TEXT_LIMIT + 1), False, "text_long"),
    "too long after empty lines": ("\n\nx" * TEXT_LIMIT, False, "text_long"),
    "nothing for a child": ("", True, "text_empty"),
    "a child's words": (f"Barnet sa: {CHILD}", True, "child_words"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("before", [TextState.READABLE, TextState.WITHHELD])
def test_a_refusal_is_told_at_its_text_and_what_was_written_is_still_there(
    evaluator: InspectingClient, db: Database, name: str, before: TextState
) -> None:
    wording, is_child, reason = REFUSED[name]
    [one] = lay(db, CHILD, is_child=is_child, state=before)
    [neighbour] = lay(db, "En annan text", state=before)
    evaluator.get(DESK)  # that somebody reads is noted now
    there = contents(db)
    reply = clear(evaluator, one, wording)
    assert reply.status_code == 400
    assert contents(db) == there
    page = reply.text
    assert f'id="fault-{one}"' in item(page, one)
    assert unescape(re.search(rf'id="fault-{one}">([^<]*)<', page)[1]) == REFUSALS[reason]  # type: ignore[index]
    assert form_of(page, one)["wording"] == wording
    assert 'class="fault"' not in item(page, neighbour)
    assert form_of(page, neighbour)["wording"] == "En annan text"
    [control] = [a for a in Page(page).all("textarea") if a["id"] == f"wording-{one}"]
    assert (control["aria-invalid"], control["aria-describedby"]) == ("true", f"fault-{one}")
    [alert] = [a for a in Page(page).all("div") if a.get("role") == "alert"]
    assert alert["class"] == "faults"


def test_the_way_from_a_fault_leads_to_its_field(evaluator: InspectingClient, db: Database) -> None:
    [one] = lay(db, "En text")
    page = Page(clear(evaluator, one, "").text)
    ways = [a["href"] for a in page.all("a") if a.get("href", "").startswith("#")]
    ids = {f"#{attrs['id']}" for _tag, attrs in page.tags if "id" in attrs}
    assert ways
    assert set(ways) <= ids | {"#main"}


@pytest.mark.parametrize("before", [TextState.CLEARED, TextState.WITHHELD])
def test_a_refused_text_is_not_folded_away(evaluator: InspectingClient, db: Database, before: TextState) -> None:
    [one] = lay(db, "En text", state=before)
    page = clear(evaluator, one, "").text
    before_it = page[: page.index(f'id="fault-{one}"')]
    opened = re.findall(r"<details[^>]*>|</details>", before_it)
    folds: list[str] = []
    for mark in opened:
        folds = folds[:-1] if mark == "</details>" else [*folds, mark]
    assert folds
    assert all("open" in fold for fold in folds), folds


@pytest.mark.parametrize(
    "identity", ["0" * 32, "x", "A" * 32, "%25", "..", "' or '1'='1", "0" * 5000, "%00", "å"], ids=range(9)
)
def test_a_stale_or_made_up_text_answers_as_unknown(evaluator: InspectingClient, db: Database, identity: str) -> None:
    lay(db, "En text")
    evaluator.get(DESK)
    there = contents(db)
    for act in ("clear", "withhold"):
        token = token_of(evaluator)
        reply = evaluator.post(f"{DESK}/{identity}/{act}", data={"csrf_token": token, "wording": "x"})
        assert reply.status_code == 404
        assert "En text" not in reply.text
    assert contents(db) == there


def test_texts_that_may_not_be_read_yet_answer_as_texts_that_are_not_there(
    evaluator: InspectingClient, town: Town, db: Database
) -> None:
    meeting = town.meeting()
    counting.close_and_count(db, town.house.keys, meeting.id, TODAY)
    [locked] = lock(db, meeting.id, "låst text")
    [gathering] = lay(db, "väntande text", state=TextState.GATHERING)
    there = contents(db)
    for act in ("clear", "withhold"):
        replies = [press(evaluator, one, act) for one in (locked, gathering, "0" * 32)]
        assert {reply.status_code for reply in replies} == {404}
        assert len({reply.text.replace(token_of(evaluator), "") for reply in replies}) == 1
    assert contents(db) == there


def test_nothing_is_done_without_the_pages_token(
    evaluator: InspectingClient, other: InspectingClient, db: Database
) -> None:
    [one] = lay(db, "En text")
    evaluator.get(DESK)
    there = contents(db)
    for token in ({}, {"csrf_token": ""}, {"csrf_token": "x"}, {"csrf_token": token_of(other)}):
        for act in ("clear", "withhold"):
            with case(token, act):
                reply = evaluator.post(f"{DESK}/{one}/{act}", data=token | {"wording": "så"})
                assert reply.status_code == 400
    for act in ("clear", "withhold"):
        assert FlaskClient.open(evaluator, f"{DESK}/{one}/{act}", method="GET").status_code == 405
    assert contents(db) == there


# Two at once


def test_a_text_that_one_has_cleared_can_be_withheld_by_another_from_the_page_before(
    evaluator: InspectingClient, other: InspectingClient, db: Database
) -> None:
    [one] = lay(db, "En text")
    token = token_of(other)
    assert clear(evaluator, one, "Så").status_code == 303
    assert other.post(f"{DESK}/{one}/withhold", data={"csrf_token": token}).status_code == 303
    assert states(db) == {TextState.WITHHELD: 1}
    for client in (evaluator, other):
        assert "1 text hålls inne" in client.get(DESK).text


def test_a_text_that_one_has_withheld_can_be_cleared_by_another_from_the_page_before(
    evaluator: InspectingClient, other: InspectingClient, db: Database
) -> None:
    [one] = lay(db, "En text")
    token = token_of(other)
    assert withhold(evaluator, one).status_code == 303
    assert other.post(f"{DESK}/{one}/clear", data={"csrf_token": token, "wording": "Så"}).status_code == 303
    assert states(db) == {TextState.CLEARED: 1}


def test_what_one_has_released_another_cannot_change_from_the_page_before(
    evaluator: InspectingClient, other: InspectingClient, db: Database
) -> None:
    ids = lay(db, *(f"text {n}" for n in range(BATCH)))
    token = token_of(other)
    for one in ids:
        clear(evaluator, one, "Så")
    reply = other.post(f"{DESK}/{ids[0]}/clear", data={"csrf_token": token, "wording": "Annat"})
    assert reply.status_code == 404
    assert set(quotes(other.get(RELEASED).text)) == {"Så"}


def test_a_childs_words_stay_inside_though_two_have_had_them_before_them(
    evaluator: InspectingClient, other: InspectingClient, db: Database
) -> None:
    [one] = lay(db, CHILD, is_child=True)
    token = token_of(other)
    assert clear(evaluator, one, RETOLD).status_code == 303
    other.post(f"{DESK}/{one}/clear", data={"csrf_token": token, "wording": CHILD})
    assert [found.wording for found in texts.in_state(db, TextState.CLEARED, 9)] == [RETOLD]


def test_pressing_twice_does_it_once(evaluator: InspectingClient, db: Database) -> None:
    ids = lay(db, *(f"text {n}" for n in range(BATCH + 1)))
    for one in ids[: BATCH - 1]:
        token = token_of(evaluator)
        said = [
            evaluator.post(f"{DESK}/{one}/clear", data={"csrf_token": token, "wording": "Så"}) for _press in range(2)
        ]
        assert [reply.status_code for reply in said] == [303, 303]
    assert states(db) == {TextState.CLEARED: BATCH - 1, TextState.READABLE: 2}
    token = token_of(evaluator)
    said = [evaluator.post(f"{DESK}/{ids[-1]}/withhold", data={"csrf_token": token}).status_code for _press in range(2)]
    assert said == [303, 303]
    assert states(db) == {TextState.CLEARED: BATCH - 1, TextState.READABLE: 1, TextState.WITHHELD: 1}
    token = token_of(evaluator)
    last = [
        evaluator.post(f"{DESK}/{ids[-2]}/clear", data={"csrf_token": token, "wording": "Så"}).status_code
        for _press in range(2)
    ]
    assert last[0] == 303
    assert states(db) == {TextState.RELEASED: BATCH, TextState.WITHHELD: 1}, "ten, and once"


# Any language, any marks


def test_arabic_runs_the_right_way_wherever_it_stands(
    evaluator: InspectingClient, coordinator: InspectingClient, db: Database
) -> None:
    ids = lay(db, ARABIC, *(f"text {n}" for n in range(BATCH - 1)))
    page = Page(evaluator.get(DESK).text)
    assert {quote.get("dir") for quote in page.all("blockquote")} == {"auto"}
    assert {area.get("dir") for area in page.all("textarea")} == {"auto"}
    clear_all(db, ids)
    page = Page(coordinator.get(RELEASED).text)
    assert {quote.get("dir") for quote in page.all("blockquote")} == {"auto"}
    assert len(page.all("blockquote")) == BATCH
    assert page.all("html")[0]["dir"] == "ltr"


def test_marks_in_a_text_are_text(evaluator: InspectingClient, coordinator: InspectingClient, db: Database) -> None:
    written = [f"{n} {payload}".strip() for n, payload in enumerate(PAYLOADS) if len(payload) < TEXT_LIMIT]
    ids = lay(db, *written)
    clear_all(db, ids[: len(ids) // BATCH * BATCH])
    for one in ids[:3]:
        clear(evaluator, one, PAYLOADS[0])  # 404, for it is released: the page that says so is looked at as well
    for client, path in ((evaluator, DESK), (coordinator, f"{RELEASED}?all=1"), (evaluator, f"{RELEASED}?all=1")):
        reply = client.get(path)
        page = Page(reply.text)
        assert not [tag for tag, _attrs in page.tags if tag.startswith("zq")]
        assert not [name for _tag, attrs in page.tags for name in attrs if name.startswith("zq") or name == "onload"]
        assert "zqok" not in reply.text
        shown = {" ".join(quote.split()) for quote in quotes(reply.text)}
        seen = {" ".join(blanked(one).split()) for one in (*written, *map(clearing._readable, written))}
        assert shown <= seen
    everything = {" ".join(one.split()) for one in quotes(coordinator.get(f"{RELEASED}?all=1").text)}
    assert len(everything) == len(ids) // BATCH * BATCH


def test_a_refused_wording_full_of_marks_comes_back_as_text(evaluator: InspectingClient, db: Database) -> None:
    [one] = lay(db, "x", is_child=True)
    for payload in PAYLOADS:
        with case(payload):
            wording = payload + "x" * (TEXT_LIMIT + 1)
            reply = clear(evaluator, one, wording)
            assert reply.status_code == 400
            assert not [tag for tag, _attrs in Page(reply.text).tags if tag.startswith("zq")]
            kept = form_of(reply.text, one)["wording"]
            assert kept.replace("\r\n", "\n") == wording.replace("\r\n", "\n")


# What is said to whoever wrote

TOOK, NAME = "Vi tog bort ett nummer", "finns kanske ett namn"


@pytest.fixture
def paths(town: Town) -> Iterator[str]:
    """The addresses of one person's own link after another's."""
    meeting = town.meeting({Role.FAMILY: 40})
    return (f"/{town.personal(meeting, Role.FAMILY).key}" for _person in range(40))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("Ring 070-123 45 67.", {TOOK}),
        ("Skriv till kim@example.se.", {TOOK}),
        ("Jag är 19900101-1234.", {TOOK}),
        ("Min syster Sara grät.", {NAME}),
        ("Ring min syster Sara, 070-123 45 67.", {TOOK, NAME}),
        ("Mer tid. Och kaffe kl 08.30.", set()),
        (ARABIC, set()),
        ("", set()),
    ],
)
def test_thanks_say_what_was_taken_out_and_what_may_be_a_name(
    participant: InspectingClient, paths: Iterator[str], words: str, told: set[str]
) -> None:
    path = next(paths)
    thanks = participant.submit(path, prep="4", words=words)
    assert thanks.status_code == 200
    assert {said for said in (TOOK, NAME) if said in thanks.text} == told
    assert not words or words not in thanks.text
    assert "123 45 67" not in thanks.text


def test_thanks_say_it_in_the_language_of_the_form(participant: InspectingClient, paths: Iterator[str]) -> None:
    words = "Call my sister Sara, 070-123 45 67."
    thanks = participant.submit(f"{next(paths)}?lang=en", prep="4", words=words)
    notes = re.findall(r'<p class="note">([^<]*)</p>', thanks.text)
    assert len(notes) == 2
    assert not [note for note in notes if re.search("[åäö]", note)]


@pytest.mark.parametrize("words", ["Ring min syster Sara, 070-123 45 67.", "Mer tid.", ""])
def test_the_same_sending_again_is_told_the_same(
    participant: InspectingClient, paths: Iterator[str], words: str
) -> None:
    path = next(paths)
    fields = Page(participant.get(path).text).form_values() | {"prep": "4", "words": words}
    first, second = (participant.post(path, data=fields) for _time in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.text == second.text


def test_an_edited_repeat_is_told_that_it_was_left_aside(
    participant: InspectingClient, paths: Iterator[str], town: Town, db: Database
) -> None:
    path = next(paths)
    fields = Page(participant.get(path).text).form_values() | {"prep": "4"}
    participant.post(path, data=fields | {"words": "Mer tid."})
    again = participant.post(path, data=fields | {"words": "Ring 070-123 45 67."})
    assert again.status_code == 200
    assert "har inte ändrats" in again.text
    counted(town)
    assert wordings(db) == {"Mer tid."}


def test_a_repeat_that_differs_in_a_number_alone_is_the_same(
    participant: InspectingClient, paths: Iterator[str], town: Town, db: Database
) -> None:
    """What was taken out was never kept, so nothing can tell the two apart."""
    path = next(paths)
    fields = Page(participant.get(path).text).form_values()
    first, second = (
        participant.post(path, data=fields | {"words": f"Ring {number}."}) for number in ("0701234567", "0707654321")
    )
    assert first.text == second.text
    counted(town)
    assert wordings(db) == {f"Ring {BLANK}."}


def test_a_form_that_comes_back_says_nothing_of_what_would_be_taken_out(
    participant: InspectingClient, paths: Iterator[str], db: Database
) -> None:
    """It is still whole: whoever mends it has everything that was written."""
    reply = participant.submit(next(paths), prep="9", words="Ring min syster Sara, 070-123 45 67.")
    assert reply.status_code == 400
    assert "070-123 45 67" in reply.text
    assert TOOK not in reply.text
    assert db.execute("select count(*) from ballot").fetchone() == (0,)


# What a reader's browser has before it


def quotes(page: str) -> list[str]:
    """The texts on a page."""
    return [unescape(one) for one in re.findall(r"<blockquote[^>]*>(.*?)</blockquote>", page, re.DOTALL)]


def item(page: str, text: str) -> str:
    """What stands on the desk about one text."""
    found = re.search(rf'<li id="text-{text}">.*?</li>', page, re.DOTALL)
    assert found, f"{text} is not on the page"
    return found[0]


def form_of(page: str, text: str) -> dict[str, str]:
    """The fields of the form by which a text is cleared, as a browser fills them in."""
    found = re.search(rf'<form method="post" action="{DESK}/{text}/clear">(.*?)</form>', page, re.DOTALL)
    assert found, f"{text} has no form"
    [wording] = re.findall(r'<textarea[^>]*name="wording"[^>]*>(.*?)</textarea>', found[1], re.DOTALL)
    [seen] = re.findall(r'name="seen" value="(.*?)"', found[1])
    return {"wording": unescape(wording.removeprefix("\n")), "seen": seen}  # a browser drops the first line break


def token_of(client: InspectingClient) -> str:
    """The token of the pages that somebody has open."""
    return Page(client.get("/staff/account").text).form_values()["csrf_token"]


def press(client: InspectingClient, text: str, act: str, **fields: str) -> TestResponse:
    return client.post(f"{DESK}/{text}/{act}", data={"csrf_token": token_of(client)} | fields)


def clear(client: InspectingClient, text: str, wording: str) -> TestResponse:
    return press(client, text, "clear", wording=wording)


def withhold(client: InspectingClient, text: str) -> TestResponse:
    return press(client, text, "withhold")


def counted(town: Town) -> None:
    """Count every meeting there is."""
    for row in town.db.query("select id from meeting where state = 'open'"):
        counting.close_and_count(town.db, town.house.keys, row["id"], TODAY)


def wordings(db: Database) -> set[str]:
    """Every text there is."""
    return {row["wording"] for row in db.query("select wording from free_text")}
