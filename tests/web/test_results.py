"""The results pages as those who are signed in read them: the same for all, every figure as published, and a sentence
wherever there is none."""

import csv
import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from html import unescape
from io import StringIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from enkat import demo
from enkat.app import create_app
from enkat.house import open_house
from enkat.model.result import Grain, Outcome, Snapshot
from enkat.model.staff import StaffRole
from enkat.model.survey import Role
from enkat.settings import Settings
from tests.conftest import TODAY, Town, signed_in
from tests.inspection import InspectingClient, Page
from tests.published import children, grids, main_of, plain, publish, quarter, quarters, unpublished, year

PAGES = ("/results", "/results/months", "/results/years")


def figure(html: str, name: str) -> dict[str, Any]:
    """A chart as it stands in the page."""
    [found] = re.findall(rf'<script type="application/json" id="figure-{name}">(.*?)</script>', html)
    return json.loads(found)  # type: ignore[no-any-return]


def has_chart(html: str) -> bool:
    return "plotly" in html or "data-figure" in html or "results.js" in html


def finding(html: str) -> str:
    """The first sentence that is found of what is published."""
    return plain(re.findall(r'<p class="finding">.*?</p>', html, re.DOTALL)[0])


# For everybody


def test_everybody_who_is_signed_in_sees_the_same(
    town: Town, coordinator: InspectingClient, evaluator: InspectingClient, administrator: InspectingClient
) -> None:
    clients = (coordinator, evaluator, administrator)
    shown = {path: {main_of(client.get(path).text) for client in clients} for path in PAGES}
    assert [len(of_page) for of_page in shown.values()] == [1, 1, 1]
    publish(town.db, *quarters("2025-Q1", 7), year(2025, unit={"Norr": 70, "Söder": 60}), children("2025"))
    for path in (*PAGES, "/results?all=1", "/results/years?year=2025"):
        [main] = {main_of(client.get(path).text) for client in clients}
        assert "72 (64-80)" in main or "70 (62-78)" in main, path
    [data] = {client.get("/results.csv").data for client in clients}
    assert data.count(b"\r\n") > 7 * 6


# Nothing published yet


def test_before_the_first_meeting_there_is_one_sentence_with_the_day(evaluator: InspectingClient, town: Town) -> None:
    for path in ("/results", "/results/months"):
        page = evaluator.get(path)
        assert page.status_code == 200
        assert finding(page.text) == "Det första kvartalet kan publiceras tidigast 1 januari 2027."
        assert not has_chart(page.text)
        assert "<table" not in page.text
    assert finding(evaluator.get("/results/years").text) == (
        "Det första året publiceras med sitt fjärde kvartal, tidigast 1 januari 2027."
    )
    assert evaluator.get("/results.csv").text == "table,period,category,index,n,meetings,mean,low,high\r\n"


def test_a_running_quarter_is_announced_for_the_day_after_it(evaluator: InspectingClient, town: Town) -> None:
    town.meeting(held=TODAY, closes=TODAY)
    assert finding(evaluator.get("/results").text).endswith("tidigast 1 januari 2027.")


def test_a_quarter_that_is_over_waits_for_its_meetings_to_be_counted(app: Flask, town: Town) -> None:
    town.meeting()
    address = town.add_staff("ulla@mitthem.example", town.municipality, StaffRole.EVALUATOR)
    client = signed_in(_on(town, date(2027, 1, 10)), town, address)
    for path in ("/results", "/results/months"):
        page = client.get(path).text
        assert finding(page) == (
            "Det första kvartalet publiceras så snart alla möten till och med 31 december 2026 är räknade."
        )
        assert not has_chart(page)
    assert not has_chart(client.get("/results/years").text)


def test_a_first_quarter_that_was_too_small_leads_to_the_day_of_the_next(app: Flask, town: Town) -> None:
    publish(town.db, unpublished("2026-Q4", Outcome.JOINED))
    address = town.add_staff("ulla@mitthem.example", town.municipality, StaffRole.EVALUATOR)
    client = signed_in(_on(town, date(2027, 1, 10)), town, address)
    assert finding(client.get("/results").text).endswith("tidigast 1 april 2027.")
    assert finding(client.get("/results/years").text).endswith("tidigast 1 januari 2028.")


def _on(town: Town, day: date) -> Flask:
    app = create_app(town.house.settings, town.at(day))
    app.test_client_class = InspectingClient
    return app


# A quarter by role


def test_a_published_quarter_has_its_figures_their_number_and_the_response_rate(
    evaluator: InspectingClient, town: Town
) -> None:
    publish(town.db, quarter("2026-Q3", {"family": 72, "kin": (64, 9, 7), "professional": (80, 14, 4)}))
    page = evaluator.get("/results").text
    participation, usefulness = grids(page)
    assert participation.head == ("Kvartal", "Familj", "Anhöriga och vänner", "Professionella", "Svarsfrekvens")
    [line], [other] = participation.texts, usefulness.texts
    assert line == ["K3 2026", "72 (64-80) 12 svar, 6 möten", "64 9 svar, 7 möten", "80 14 svar, 4 möten", "55 %"]
    assert other[1:4] == ["62 (54-70) 12 svar, 6 möten", "54 9 svar, 7 möten", "70 14 svar, 4 möten"]
    assert "publicerat 1 oktober 2026" in page
    assert "nästa tidigast 1 januari 2027" in page
    assert finding(page).startswith("K3 2026: Familj ligger på 72 (64-80) av 100.")
    assert finding(page).endswith("Ett kvartal är publicerat. Det behövs sex för att jämföra före och efter.")


def test_from_six_quarters_on_the_page_says_what_has_changed_and_what_that_does_not_show(
    evaluator: InspectingClient, town: Town
) -> None:
    means = (50, 52, 51, 71, 70, 72)
    publish(
        town.db,
        *(
            quarter(one.period, {"family": mean, "kin": 60, "professional": 70})
            for one, mean in zip(quarters("2025-Q2", 6), means, strict=True)
        ),
    )
    page = evaluator.get("/results").text
    assert finding(page).startswith(
        "Familjens svar ligger högre K1 2026–K3 2026 än K2 2025–K4 2025: 71 mot 51. Skillnaden är 20 steg av 100 ("
    )
    assert "Det visar inte vad det beror på, och inget om dem som inte svarade." in page
    assert "Av de vuxna som bjöds in svarade ungefär 55 %" in plain(page)


def test_a_fall_is_told_as_a_fall_and_no_clear_change_as_none(evaluator: InspectingClient, town: Town) -> None:
    means = (71, 70, 72, 50, 52, 51)
    published = [
        quarter(one.period, {"family": mean, "kin": 60, "professional": 70})
        for one, mean in zip(quarters("2025-Q2", 6), means, strict=True)
    ]
    publish(town.db, *published)
    page = evaluator.get("/results").text
    assert "ligger lägre K1 2026–K3 2026 än K2 2025–K4 2025" in finding(page)
    assert re.search(r"Skillnaden är −20 steg av 100 \(95 % intervall: −\d+ till −\d+\)\.", finding(page))
    publish(town.db, quarter("2026-Q4", {"family": 90, "kin": 60, "professional": 70}))
    assert finding(evaluator.get("/results").text).endswith("så det går inte att säga om något har ändrats.")


def test_roles_that_are_shown_together_have_one_figure_and_both_names(evaluator: InspectingClient, town: Town) -> None:
    publish(town.db, quarter("2026-Q3", {"family+kin": 68, "professional": 80}))
    for grid in grids(evaluator.get("/results").text):
        [line] = grid.lines
        assert [span for _text, span in line] == [1, 2, 1, 1]
        assert line[1][0].endswith("12 svar, 6 möten tillsammans: Familj + Anhöriga och vänner")


def test_a_whole_quarter_shown_together_is_one_figure_over_all_roles(evaluator: InspectingClient, town: Town) -> None:
    publish(town.db, quarter("2026-Q3", {"family+kin+professional": 68}))
    page = evaluator.get("/results").text
    [line] = grids(page)[0].lines
    assert [span for _text, span in line] == [1, 3, 1]
    assert line[1][0].endswith("tillsammans: Familj + Anhöriga och vänner + Professionella")
    assert finding(page).startswith("K3 2026: Familj + Anhöriga och vänner + Professionella ligger på 68")


def test_family_and_professionals_together_stand_once_with_kin_between_them(
    evaluator: InspectingClient, town: Town
) -> None:
    publish(town.db, quarter("2026-Q3", {"family+professional": 68, "kin": 64}))
    page = evaluator.get("/results").text
    [line] = grids(page)[0].lines
    assert [span for _text, span in line] == [1, 1, 1, 1, 1]
    assert [text for text, _span in line[1:4]] == [
        "68 (60-76) 12 svar, 6 möten tillsammans: Familj + Professionella",
        "64 (56-72) 12 svar, 6 möten",
        "Familj + Professionella",
    ]
    crosses = [trace for trace in figure(page, "participation")["data"] if _symbol(trace) == "cross-thin"]
    assert [trace["y"] for trace in crosses] == [[68], [68]], "in both panels the same figure, marked as shared"


def test_quarters_that_are_shown_together_have_one_line_and_one_frame(evaluator: InspectingClient, town: Town) -> None:
    publish(
        town.db,
        quarter("2025-Q4"),
        unpublished("2026-Q1", Outcome.JOINED),
        quarter("2026-Q1+2026-Q2", {"family": 66, "kin": 64, "professional": 80}),
        quarter("2026-Q3"),
    )
    page = evaluator.get("/results").text
    assert [line[0] for line in grids(page)[0].texts] == ["K4 2025", "K1 2026 + K2 2026", "K3 2026"]
    together = grids(page)[0].line("K1 2026 + K2 2026")
    assert (together[1], together[-1]) == ("66 (58-74) 12 svar, 6 möten", "55 %")
    frames = [one for one in figure(page, "participation")["layout"]["shapes"] if one["type"] == "rect"]
    assert [(round(one["x0"], 2), round(one["x1"], 2)) for one in frames] == [(0.58, 2.42)] * 3


@pytest.mark.parametrize(
    ("outcome", "said"),
    [(Outcome.EMPTY, "inga svar"), (Outcome.JOINED, "visas tillsammans med nästa, när det är publicerat")],
)
def test_a_quarter_without_figures_says_why(
    outcome: Outcome, said: str, evaluator: InspectingClient, town: Town
) -> None:
    publish(town.db, quarter("2026-Q2"), unpublished("2026-Q3", outcome))
    page = evaluator.get("/results").text
    assert grids(page)[0].lines[-1] == (("K3 2026", 1), (said, 3), ("okänt", 1))
    words = {one["text"] for one in figure(page, "participation")["layout"]["annotations"]}
    assert {Outcome.EMPTY: "inga svar", Outcome.JOINED: "visas inte än"}[outcome] in words
    assert finding(page).startswith("Ett kvartal är publicerat.")


def test_a_role_in_which_nobody_answered_says_so(evaluator: InspectingClient, town: Town) -> None:
    publish(town.db, quarter("2026-Q3", {"family": 72, "professional": 80}))
    assert grids(evaluator.get("/results").text)[0].texts[0][2] == "inga svar"


def test_the_latest_eight_quarters_are_shown_unless_all_are_asked_for(evaluator: InspectingClient, town: Town) -> None:
    publish(town.db, *quarters("2024-Q1", 11))
    page, whole = evaluator.get("/results").text, evaluator.get("/results?all=1").text
    assert [line[0] for line in grids(page)[0].texts] == [
        *("K4 2024", "K1 2025", "K2 2025", "K3 2025", "K4 2025", "K1 2026", "K2 2026", "K3 2026")
    ]
    assert len(grids(whole)[0].lines) == 11
    assert "Visa alla 11 kvartal" in page
    assert "Visa de senaste åtta kvartalen" in whole
    assert finding(page) == finding(whole), "what is found does not depend on what is shown"
    months = evaluator.get("/results/months").text
    assert len(grids(months)[0].lines) == 24
    assert len(grids(evaluator.get("/results/months?all=1").text)[0].lines) == 33
    assert "Visa alla 11 kvartal" in months


def test_eight_quarters_need_no_choice_between_some_and_all(evaluator: InspectingClient, town: Town) -> None:
    publish(town.db, *quarters("2024-Q4", 8))
    page = evaluator.get("/results").text
    assert len(grids(page)[0].lines) == 8
    assert "Visa alla" not in page


def test_quarters_shown_together_are_named_whole_where_the_page_begins_between_them(
    evaluator: InspectingClient, town: Town
) -> None:
    publish(town.db, quarter("2024-Q3+2024-Q4"), *quarters("2025-Q1", 7))
    page = evaluator.get("/results").text
    assert grids(page)[0].texts[0][0] == "K3 2024 + K4 2024"
    assert [one for one in figure(page, "participation")["layout"]["shapes"] if one["type"] == "rect"]


# A new version of a questionnaire


def test_a_new_version_of_a_questionnaire_is_a_dashed_line_and_a_sentence(
    evaluator: InspectingClient, town: Town
) -> None:
    changed = quarter("2026-Q2", forms=(("adult", 1), ("adult", 2), ("professional", 1)))
    after = quarter("2026-Q3", forms=(("adult", 2), ("professional", 1)))
    publish(town.db, quarter("2026-Q1"), changed, after)
    page = evaluator.get("/results").text
    for name in ("participation", "usefulness"):
        layout = figure(page, name)["layout"]
        lines = [one for one in layout["shapes"] if one["type"] == "line"]
        assert {(one["x0"], one["x1"], one["line"]["dash"]) for one in lines} == {(0.5, 0.5, "dash")}
        assert len(lines) == len([one for one in layout["annotations"] if one["text"] == "A"]) == 3
    assert page.count("Från K2 2026: formuläret för ") == 2, "once under each chart"
    assert "i version 2." in page


def test_without_a_new_version_there_is_no_such_line(evaluator: InspectingClient, town: Town) -> None:
    publish(town.db, *quarters("2026-Q1", 3))
    page = evaluator.get("/results").text
    assert not [one for one in figure(page, "participation")["layout"]["shapes"] if one["type"] == "line"]
    assert "formuläret för" not in page


def test_two_questionnaires_that_change_in_one_quarter_do_not_write_over_each_other(
    evaluator: InspectingClient, town: Town
) -> None:
    publish(town.db, quarter("2026-Q2"), quarter("2026-Q3", forms=(("adult", 2), ("professional", 2))))
    letters = [
        (one["xref"], one["x"])
        for one in figure(evaluator.get("/results").text, "participation")["layout"]["annotations"]
        if re.fullmatch("[A-Z]", one["text"])
    ]
    assert len(letters) == len(set(letters))


def test_a_change_before_the_quarters_that_are_compared_is_no_reason_for_their_difference(
    evaluator: InspectingClient, town: Town
) -> None:
    newer = (("adult", 2), ("professional", 1))
    publish(
        town.db,
        quarter("2024-Q1"),
        *(quarter(one.period, forms=newer) for one in quarters("2024-Q2", 10)),
    )
    for path in ("/results", "/results?all=1"):
        assert "Formulären ändrades under tiden" not in evaluator.get(path).text, path


def test_there_is_a_space_between_two_sentences(evaluator: InspectingClient, town: Town) -> None:
    publish(town.db, quarter("2025-Q1"))
    few = evaluator.get("/results").text
    publish(town.db, *quarters("2025-Q2", 5), quarter("2026-Q3", forms=(("adult", 2), ("professional", 1))))
    for page in (few, evaluator.get("/results").text):
        assert not re.findall(r"\w+\.[A-ZÅÄÖ]\w+", re.sub(r"<script.*?</script>", "", main_of(page)))


# Children


def test_children_are_shown_by_year_only(evaluator: InspectingClient, town: Town) -> None:
    publish(town.db, quarter("2025-Q4"), children("2025"), *quarters("2026-Q1", 3))
    page = evaluator.get("/results").text
    adults, of_children, _adults, _of_children = grids(page)
    assert not [text for line in adults.texts for text in line if "Barn" in text]
    assert of_children.caption == "Barn, per år"
    assert of_children.texts == [["2025", "60 (52-68) 12 svar, 6 möten", "40 %"]]
    titles = [one["text"] for one in figure(page, "participation")["layout"]["annotations"]]
    assert "Barn, per år" in titles
    months = evaluator.get("/results/months").text
    assert "Barn" not in plain(grids(months)[0].caption) + str(grids(months)[0].texts)


def test_before_childrens_first_year_the_page_says_when_they_will_be_seen(
    evaluator: InspectingClient, town: Town
) -> None:
    publish(town.db, quarter("2026-Q3"))
    page = evaluator.get("/results").text
    assert "Barnens svar visas för sig, per år." in page
    assert "Barn, per år" not in str(figure(page, "participation"))


# Months


def test_months_are_those_of_all_adults_together(evaluator: InspectingClient, town: Town) -> None:
    publish(town.db, quarter("2026-Q3"))
    page = evaluator.get("/results/months").text
    [grid] = grids(page)
    assert grid.texts == [
        [month, "70 (62-78)", "60 (52-68)", "12", "6"] for month in ("juli 2026", "aug. 2026", "sep. 2026")
    ]
    assert len([one for one in figure(page, "months")["data"] if one["mode"] == "markers"]) == 2


# Years


def test_a_year_is_shown_by_unit_source_and_number(evaluator: InspectingClient, town: Town) -> None:
    split = year(
        2025,
        unit={"Norr": 70, "Söder": (60, 9, 4)},
        source={"school": 66, "health+other": 58},
        number={"1": 64, "2+3": 71, "10": 50},
    )
    publish(town.db, split, children("2025", 61))
    page = evaluator.get("/results/years").text
    units, sources, numbers, of_children = grids(page)
    assert units.texts == [["Norr", "70 (62-78)", "60 (52-68)", "12", "6"], ["Söder", "60", "50", "9", "4"]]
    assert [line[0] for line in sources.texts] == ["Skola", "Vård + Annan"]
    assert [line[0] for line in numbers.texts] == ["Möte 1", "Möte 2 + Möte 3", "Möte 10"]
    assert of_children.texts == [["Barn", "61 (53-69)", "51 (43-59)", "12", "6"]]
    assert "<h1>Resultat för 2025</h1>" in page
    assert finding(page) == "60 vuxna har svarat. Det är ungefär 50 % av dem som bjöds in."
    for name in ("year_unit", "year_source", "year_number"):
        assert not [one for one in figure(page, name)["data"] if one["mode"] == "lines"], "no line joins categories"


def test_the_latest_year_is_shown_unless_another_is_asked_for(evaluator: InspectingClient, town: Town) -> None:
    publish(town.db, year(2024, unit={"Norr": 61}), year(2025, unit={"Norr": 71}))
    latest = evaluator.get("/results/years").text
    assert grids(latest)[0].caption == "Per enhet 2025"
    assert grids(evaluator.get("/results/years?year=2024").text)[0].line("Norr")[1] == "61 (53-69)"
    assert {a["href"] for a in Page(latest).all("a") if "year=" in a["href"]} == {
        "/results/years?year=2024",
        "/results/years?year=2025",
    }
    for odd in ("", "2023", "9999", "-1", "x", "٢٠٢٤", "2024.0", " 2024", "2024%00", "9" * 5000, "<script>", "%ff"):
        assert main_of(evaluator.get(f"/results/years?year={odd}").text) == main_of(latest), odd
    assert main_of(evaluator.get("/results/years?year=2024&year=2025").text) != main_of(latest)


def test_children_who_are_too_few_wait_for_the_next_year(evaluator: InspectingClient, town: Town) -> None:
    publish(town.db, year(2025, unit={"Norr": 70}))
    assert "Inga barn har svarat." in plain(evaluator.get("/results/years").text)
    waiting = Snapshot(Grain.CHILD_YEAR, ("2025",), 2025, Outcome.JOINED, date(2026, 1, 1))
    publish(town.db, waiting)
    page = plain(evaluator.get("/results/years").text)
    assert "Barnens svar visas tillsammans med nästa års. För sig uppfyller de inte villkoren för att visas." in page


def test_a_year_that_waits_for_its_last_count_names_no_day_that_has_passed(town: Town) -> None:
    town.meeting()
    address = town.add_staff("ulla@mitthem.example", town.municipality, StaffRole.EVALUATOR)
    client = signed_in(_on(town, date(2027, 1, 10)), town, address)
    assert "1 januari 2027" not in client.get("/results/years").text
    publish(town.db, year(2025, unit={"Norr": 70}), *quarters("2025-Q4", 4))
    assert "1 januari 2027" not in client.get("/results/years").text


# Units as somebody has named them

NAMES = (
    "<script>alert(1)</script>",
    "Norr + Söder",
    "Enheten för barn- och familjestöd i norra stadsdelen och landsbygden runt omkring",
    "Åsele Ängby Östra",
    "=HYPERLINK(1)",
    "100 % stöd %(unit)s",
    "<br><b>fet</b>",
    "Team & Co's",
    "{{ 7*7 }}",
)


def test_units_stand_in_page_chart_and_file_by_the_names_they_were_given(
    evaluator: InspectingClient, town: Town
) -> None:
    publish(town.db, year(2025, unit=dict.fromkeys((name for name in NAMES if "+" not in name), 70)))
    page = evaluator.get("/results/years").text
    expected = {name for name in NAMES if "+" not in name}
    assert {line[0] for line in grids(page)[0].texts} == expected
    assert "<script>alert" not in page
    assert "<b>fet" not in page
    chart = figure(page, "year_unit")
    ticks = chart["layout"]["xaxis"]["ticktext"]
    assert {unescape(tick) for tick in ticks} == {one if len(one) <= 24 else f"{one[:23]}…" for one in expected}
    for text in (*ticks, *chart["data"][1]["hovertext"]):
        assert not re.search(r"<(?!/?b>|br>)", text), "Plotly reads some tags; none of them is ours to give"
    rows = list(csv.DictReader(StringIO(evaluator.get("/results.csv").text, newline="")))
    assert {row["category"] for row in rows} == {f"'{one}" if one.startswith("=") else one for one in expected}


def test_a_plus_in_a_units_name_does_not_take_it_apart(evaluator: InspectingClient, town: Town) -> None:
    one = year(2025, unit={"Norr": 70})
    cells = tuple(replace_category(cell, ("Norr + Söder", "Väster")) for cell in one.cells)
    publish(town.db, type(one)(**{**vars(one), "cells": cells}))
    assert grids(evaluator.get("/results/years").text)[0].texts[0][0] == "Norr + Söder + Väster"


def replace_category(cell: Any, categories: tuple[str, ...]) -> Any:
    return type(cell)(**{**vars(cell), "categories": categories})


def test_a_unit_with_others_below_it_stands_for_what_is_its_own(evaluator: InspectingClient, town: Town) -> None:
    publish(town.db, year(2025, unit={"Mitthem": 70, "Norr": 60}))
    assert [line[0] for line in grids(evaluator.get("/results/years").text)[0].texts] == ["Mitthem, direkt", "Norr"]


def test_units_stand_in_the_order_of_the_swedish_alphabet(evaluator: InspectingClient, town: Town) -> None:
    publish(town.db, year(2025, unit={"Öster": 70, "Ängby": 70, "Åsele": 70, "zon": 70, "Berg": 70}))
    units = grids(evaluator.get("/results/years").text)[0]
    assert [line[0] for line in units.texts] == ["Berg", "zon", "Åsele", "Ängby", "Öster"]


def test_a_quotation_mark_in_a_units_name_is_one_that_the_chart_can_read(
    evaluator: InspectingClient, town: Town
) -> None:
    publish(town.db, year(2025, unit={'Team "Norr"': 70}))
    assert "&quot;" not in str(figure(evaluator.get("/results/years").text, "year_unit"))


# Languages


def test_the_results_are_read_in_english_too(evaluator: InspectingClient, town: Town) -> None:
    publish(
        town.db,
        unpublished("2025-Q2", Outcome.EMPTY),
        quarter("2025-Q3"),
        *quarters("2025-Q4", 2, {"family+kin": 72, "professional": 80}),
        quarter("2026-Q2", forms=(("adult", 2), ("professional", 1))),
        unpublished("2026-Q3", Outcome.JOINED),
        year(2025, unit={"Norr": 70}, source={"school": 70, "health+other": 60}, number={"1": 64}),
        children("2025"),
    )
    english = {"Accept-Language": "en"}
    for path in PAGES:
        page = evaluator.get(path, headers=english).text
        assert '<html lang="en"' in page
        assert not re.findall(r"[^\s>]*[åäöÅÄÖ][^\s<]*", main_of(page)), path
    page = evaluator.get("/results", headers=english).text
    assert grids(page)[0].line("Q3 2025")[1].startswith("72 (64-80) 12 ")
    assert '<html lang="sv"' in evaluator.get("/results", headers={"Accept-Language": "sv"}).text


# Addresses, files and what goes over the net


def test_a_results_page_that_does_not_exist_is_a_fault_among_the_staffs(
    evaluator: InspectingClient, stranger: InspectingClient
) -> None:
    for path in ("/results/nonsense", "/results/years/2025", "/results/months.csv"):
        reply = evaluator.get(path)
        assert reply.status_code == 404, path
        assert not has_chart(reply.text)
        assert Page(reply.text).all("link"), "the staff's style and not the participants'"
        assert stranger.get(path).status_code == 404
    assert evaluator.post("/results").status_code == 405


def test_plotly_is_fetched_only_by_pages_with_a_chart(
    coordinator: InspectingClient, evaluator: InspectingClient, participant: InspectingClient, town: Town
) -> None:
    key = town.rooms(town.meeting())[Role.FAMILY].key
    for path in PAGES:
        assert not has_chart(evaluator.get(path).text), path
    publish(town.db, quarter("2026-Q3"), year(2025, unit={"Norr": 70}))
    for path in PAGES:
        page = Page(evaluator.get(path).text)
        names = [a["src"].rpartition("/")[2] for a in page.all("script") if "src" in a]
        assert names == ["staff.js", "plotly.js", "results.js"], path
    for path in ("/staff", "/staff/account", "/staff/meetings/new", "/results/nonsense", "/results.csv"):
        assert not has_chart(coordinator.get(path).text), path
    for path in ("/", f"/{key}", "/withdraw", "/privacy", "/AAAAAAAAAA"):
        assert not has_chart(participant.get(path).text), path


def test_the_file_is_offered_to_be_kept(evaluator: InspectingClient, town: Town) -> None:
    publish(town.db, quarter("2026-Q3"))
    reply = evaluator.get("/results.csv")
    assert reply.mimetype == "text/csv"
    assert reply.headers["Content-Disposition"] == 'attachment; filename="enkat-results.csv"'
    assert "quarter_role,2026-Q3,family,participation,12,6,72,64,80\r\n" in reply.text
    for path in PAGES[:2]:
        assert "/results.csv" in [a.get("href") for a in Page(evaluator.get(path).text).all("a")]


# Two years of a demonstration


@dataclass
class Lindby:
    """The demonstration, and its evaluator at work."""

    settings: Settings
    client: FlaskClient


@pytest.fixture(scope="module")
def lindby(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lindby]:
    folder = tmp_path_factory.mktemp("lindby") / "instance"
    house = open_house(Settings(instance=folder, base_url="http://127.0.0.1:8000", fixed_today=TODAY))
    db = house.connect()
    evaluator = next(one for one in demo.fill(house, db, 5).staff if one.role is StaffRole.EVALUATOR)
    app = create_app(house.settings, house)
    app.test_client_class = InspectingClient
    client = app.test_client()
    assert client.submit("/staff/sign-in", address=evaluator.address, password=evaluator.password).status_code == 303
    yield Lindby(house.settings, client)
    db.close()


Record = tuple[str, ...]


def test_page_file_and_program_say_the_same_figures(lindby: Lindby) -> None:
    """Cell by cell: everything that is published stands on some page, and nothing else does."""
    told = subprocess.run(
        [sys.executable, "-m", "enkat", "results", "--json"],
        env={name: value for name, value in os.environ.items() if not name.startswith("ENKAT_")}
        | {"ENKAT_INSTANCE": str(lindby.settings.instance), "ENKAT_TODAY": TODAY.isoformat()},
        capture_output=True,
        check=True,
    ).stdout
    from_program = sorted(tuple(_text(value) for value in cell.values()) for cell in json.loads(told)["cells"])
    file = lindby.client.get("/results.csv").text
    from_file = sorted(tuple(row.values()) for row in csv.DictReader(StringIO(file, newline="")))
    on_pages = _on_pages(lindby.client)
    assert from_file == from_program
    assert sorted(on_pages) == from_program
    assert len(from_program) > 100
    assert [one for one in from_program if one[0] == "quarter_role" and "+" in one[2]], "some roles are joined"
    assert [one for one in from_program if one[0] == "month" and "+" in one[1]], "and some months"
    rates = {(one["population"], one["period"], f"{one['rate']} %") for one in json.loads(told)["rates"]}
    assert _rates(lindby.client) == {one for one in rates if one[0] == "children" or "Q" in one[1]}


def test_a_page_of_eight_quarters_is_at_most_forty_kilobytes(lindby: Lindby) -> None:
    for path in (*PAGES, "/results/years?year=2025"):
        reply = lindby.client.get(path)
        assert len(reply.data) <= 40_000, path
    assert len(grids(lindby.client.get("/results").text)[0].lines) >= 8 - 1


def test_results_pages_hold_no_secret_and_so_may_be_compressed(lindby: Lindby) -> None:
    for path in PAGES:
        plain_reply = lindby.client.get(path)
        assert "csrf" not in plain_reply.text
        assert not Page(plain_reply.text).all("form")
        assert not Page(plain_reply.text).all("input")
        packed = FlaskClient.open(lindby.client, path, headers={"Accept-Encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert {"Cookie", "Accept-Encoding"} <= set(packed.vary)
        assert gzip.decompress(packed.data) == plain_reply.data
        assert len(packed.data) < len(plain_reply.data) / 3


_ROLES = {"Familj": "family", "Anhöriga och vänner": "kin", "Professionella": "professional", "Barn": "child"}
_SOURCES = {"Skola": "school", "Utredning": "inquiry", "Vård": "health", "Familjen själv": "self", "Annan": "other"}
_MONTHS = ("jan.", "feb.", "mars", "apr.", "maj", "juni", "juli", "aug.", "sep.", "okt.", "nov.", "dec.")
_INDICES = {"Delaktighet": "participation", "Nytta": "usefulness"}
_TABLES = {"Per enhet": "year_unit", "Per källa": "year_source", "Per mötesnummer": "year_number"}
_FIGURE = re.compile(r"(\d+)(?: \((\d+)-(\d+)\))?(?: (\d+) svar, (\d+) möten?)?")


def _on_pages(client: FlaskClient) -> set[Record]:
    """Every figure of the tables of every page, in the words of the file."""
    found = set[Record]()
    of_index = ""
    for grid in grids(client.get("/results?all=1").text):
        of_index = _INDICES.get(grid.caption.partition(":")[0], of_index)
        for line in grid.lines:
            column = 1
            for text, span in line[1:-1]:
                roles = grid.head[column : column + span]
                column += span
                if (shown := _FIGURE.match(text)) is None:
                    continue
                mean, low, high, n, meetings = (part or "" for part in shown.groups())
                together = text.partition("tillsammans: ")[2]
                if grid.caption == "Barn, per år":
                    table, period, category = "year_child", line[0][0].replace(" ", ""), "child"
                else:
                    table, period = "quarter_role", "+".join(map(_quarter, line[0][0].split(" + ")))
                    category = "+".join(_ROLES[role] for role in (together.split(" + ") if together else roles))
                found.add((table, period, category, of_index, n, meetings, mean, low, high))
    found |= _lines(client.get("/results/months?all=1").text)
    years = {a["href"] for a in Page(client.get("/results/years").text).all("a") if "year=" in a.get("href", "")}
    assert len(years) > 1
    return found.union(*(_lines(client.get(href).text) for href in years))


def _lines(html: str) -> set[Record]:
    """The figures of tables with a column for each index."""
    found = set()
    for grid in grids(html):
        for name, *figures, n, meetings in grid.texts:
            words = name.split(" + ")
            title, _space, period = grid.caption.rpartition(" ")
            if title in _TABLES:
                table = _TABLES[title]
                known = _SOURCES if table == "year_source" else {word: word.removeprefix("Möte ") for word in words}
                category = "+".join(known[word] for word in words)
            elif grid.caption.startswith("Barn"):
                table, category, period = "year_child", "child", grid.caption.removeprefix("Barn ").replace(" ", "")
            else:
                table, category, period = "month", "all", "+".join(map(_month, words))
            for index, text in zip(_INDICES.values(), figures, strict=True):
                shown = _FIGURE.fullmatch(text)
                assert shown, text
                mean, low, high = (part or "" for part in shown.groups()[:3])
                found.add((table, period, category, index, n, meetings, mean, low, high))
    return found


def _rates(client: FlaskClient) -> set[Record]:
    """The response rates beside the tables of quarters, those of children too."""
    found = set[Record]()
    for grid in grids(client.get("/results?all=1").text):
        for line in grid.texts:
            if grid.caption == "Barn, per år":
                found.add(("children", line[0].replace(" ", ""), line[-1]))
            else:
                found.add(("adults", "+".join(map(_quarter, line[0].split(" + "))), line[-1]))
    return found


def _quarter(name: str) -> str:
    number, _space, of_year = name.partition(" ")
    return f"{of_year}-Q{number.removeprefix('K')}"


def _month(name: str) -> str:
    month, _space, of_year = name.partition(" ")
    return f"{of_year}-{_MONTHS.index(month) + 1:02}"


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _symbol(trace: dict[str, Any]) -> str:
    return str(trace.get("marker", {}).get("symbol", ""))


def test_a_table_that_lacks_a_column_would_be_seen() -> None:
    """The reader of tables itself."""
    with pytest.raises(AssertionError, match="every column"):
        grids("<table><caption>x</caption><tr><th>a</th><th>b</th></tr><tr><td>1</td></tr></table>")
