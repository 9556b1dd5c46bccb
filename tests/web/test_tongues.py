"""What coordinators have in participants' languages: slips, what to say in the room, and who reviewed a language."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import segno
from flask import Flask

from enkat import i18n
from enkat.app import create_app
from enkat.house import House
from enkat.model.staff import StaffRole
from enkat.model.survey import Role
from tests.conftest import Town, signed_in
from tests.inspection import InspectingClient, Page

LANGUAGES = ["sv", "en", "fi", "ar", "fa", "so", "ti", "uk", "ckb", "pl"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_slips_can_be_printed_in_every_language(
    coordinator: InspectingClient, town: Town, house: House, language: str
) -> None:
    """Each with its code from left to right, and a picture that opens the form in that language."""
    meeting = town.meeting()
    page = coordinator.get(f"/staff/meetings/{meeting.id}/slips?language={language}").text
    said = house.languages[language]
    sheet = page[page.index('<div class="sheet"') : page.index("</main>")]
    assert sheet.startswith(f'<div class="sheet" lang="{language}" dir="{said.direction}">')
    assert sheet.count('class="slip"') == 9
    assert sheet.count(f"<h2>{said.question('child.title', 'Hur var det för dig?')}</h2>") == 1
    assert sheet.count('<bdi class="code" dir="ltr"') == 9
    assert ("Öppen till" in sheet) is (language == "sv")
    room = town.rooms(meeting)[Role.CHILD]
    wish = "" if language == "sv" else f"?lang={language}"
    picture = segno.make(f"http://127.0.0.1:8000/{room.key}{wish}", error="m", micro=False)
    path = re.search(r'd="([^"]+)"', picture.svg_inline(border=0, omitsize=True))
    assert path
    assert path[1] in sheet
    assert Page(page).all("html")[0]["lang"] == "sv", "the page itself stays the coordinator's"


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_is_something_to_say_in_the_room_in_every_language(
    coordinator: InspectingClient, town: Town, house: House, language: str
) -> None:
    page = coordinator.get(f"/staff/meetings/{town.meeting().id}/announcement?language={language}").text
    said = house.languages[language]
    words = said.interface.gettext("Nu vill vi veta vad ni tycker om mötet.")
    assert f'<div class="announcement" lang="{language}" dir="{said.direction}">\n<p>{words} ' in page
    assert ("Ingen som kan språket har granskat" in page) is (language != "sv")


def test_a_language_that_one_of_the_meetings_forms_lacks_is_no_choice_for_its_slips(
    town: Town, house: House, tmp_path: Path
) -> None:
    """A slip in Arabic that opened a form in Swedish would be half a switch."""
    languages = i18n.load()
    lacking = replace(house, languages=languages)
    lacking.__dict__["offered"] = house.offered | {
        "child": [one for one in house.offered["child"] if one.language != "ar"]
    }
    app = create_app(house.settings, lacking)
    app.test_client_class = InspectingClient
    karin = signed_in(app, town, town.add_staff("karin@mitthem.example", town.north, StaffRole.COORDINATOR))
    adults = town.meeting({Role.FAMILY: 2})
    with_child = town.meeting({Role.FAMILY: 2, Role.CHILD: 1}, town.assignment("M-2"))
    assert "language=ar" in karin.get(f"/staff/meetings/{adults.id}/slips").text
    page = karin.get(f"/staff/meetings/{with_child.id}/slips?language=ar").text
    assert "language=ar" not in page
    assert '<div class="sheet" lang="sv" dir="ltr">' in page


def test_staff_see_which_languages_nobody_has_reviewed(evaluator: InspectingClient) -> None:
    page = evaluator.get("/staff/languages").text
    assert page.count("Inte granskat") == len(LANGUAGES) - 1
    assert page.count("Källspråk") == 1
    for name in ("ትግርኛ", "کوردی (سۆرانی)", "Af-Soomaali", "tigrinja", "sv"):
        assert name in page


def test_staff_see_which_languages_are_not_offered_and_who_has_reviewed_the_others(
    app: Flask, town: Town, house: House
) -> None:
    languages = i18n.Languages([], {"participant": [], "staff": []})
    found = i18n.load(chosen={"ar"})
    languages.known = found.known | {"ar": replace(found.known["ar"], reviewer="Amal Ali, 2026-12-01")}
    languages.translators = {"sv": found.known["sv"], "ar": languages.known["ar"]}
    chosen = replace(house, languages=languages)
    chosen.__dict__["offered"] = {form: list(languages.translators.values()) for form in house.offered}
    app = create_app(house.settings, chosen)
    app.test_client_class = InspectingClient
    page = (
        signed_in(app, town, town.add_staff("u@mitthem.example", town.municipality, StaffRole.EVALUATOR))
        .get("/staff/languages")
        .text
    )
    assert page.count("Erbjuds inte") == len(LANGUAGES) - 2
    assert "Av Amal Ali, 2026-12-01" in page


def test_a_participant_is_told_where_a_translation_is_not_reviewed(participant: InspectingClient) -> None:
    finnish = participant.get("/accessibility?lang=fi")
    assert "Ingen som kan språket" not in finnish.text
    said = i18n.load()["fi"].interface.gettext(
        "Ingen som kan språket har granskat översättningen av sidorna än. Det kan finnas fel i den."
    )
    assert said in finnish.text
    assert "Ingen som kan språket" not in participant.get("/accessibility?lang=sv").text


@pytest.mark.parametrize("contact", ["dataskydd@mitthem.example", "0100-100 00", None])
def test_the_accessibility_statement_says_where_to_report_a_fault(
    town: Town, house: House, contact: str | None
) -> None:
    settings = replace(house.settings, contact=contact, controller="Socialnämnden i Mitthem")
    app = create_app(settings, replace(house, settings=settings))
    app.test_client_class = InspectingClient
    page = app.test_client(use_cookies=False).get("/accessibility")
    assert "Socialnämnden i Mitthem ansvarar för sidorna." in page.text
    assert (contact or "Ring kommunens växel") in page.text.replace("\u00a0", " ")
    assert ('href="mailto:dataskydd@mitthem.example"' in page.text) is (contact is not None and "@" in contact)
    assert "https://www.digg.se/tdosanmalan" in page.text
    assert "22 november 2026" in page.text
