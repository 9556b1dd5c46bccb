"""Languages: which one somebody gets, which are offered, how dates are said, and that no catalogue lags behind."""

import importlib.util
from datetime import date
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from hypothesis import given, settings
from hypothesis import strategies as st

from enkat import catalogue, i18n
from enkat.catalogue import context
from enkat.i18n import Languages
from enkat.i18n.po import header, isolated, lacks
from enkat.model.survey import Questionnaire
from tests.inspection import InspectingClient, Page

TRANSLATIONS = Path(__file__).parents[1] / "translations"
LANGUAGES = sorted(folder.parent.name for folder in TRANSLATIONS.glob("*/LC_MESSAGES"))
DAY = date(2026, 11, 20)

INSTALLED = i18n.load()
ADULT = catalogue.load()["adult"]
TEXTS = {context(ADULT, key): text for key, text in ADULT.texts().items()}


def po(entries: dict[tuple[str | None, str], str], fuzzy: str | None = None) -> str:
    """A catalogue as a translator saves it: (context, text) -> translation; one entry may be fuzzy."""
    written = ['msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n']
    for (where, text), said in entries.items():
        mark = "#, fuzzy\n" if where is not None and where == fuzzy else ""
        place = f'msgctxt "{where}"\n' if where else ""
        written.append(f'{mark}{place}msgid "{text}"\nmsgstr "{said}"\n')
    return "\n".join(written)


def questions(form: Questionnaire = ADULT, but: str | None = None) -> dict[tuple[str | None, str], str]:
    """Every text of a form translated, one excepted."""
    return {
        (context(form, key), text): "" if context(form, key) == but else f"[{key}]"
        for key, text in form.texts().items()
    }


def languages(folder: Path, chosen: set[str] | None = None, **catalogues: str) -> Languages:
    """Languages of a folder with these questions.po, and one text for participants each."""
    (folder / "participant.pot").write_text(po({(None, "Skicka"): ""}), encoding="utf-8")
    (folder / "staff.pot").write_text(po({(None, "Möten"): ""}), encoding="utf-8")
    for language, text in catalogues.items():
        place = folder / language / "LC_MESSAGES"
        place.mkdir(parents=True)
        (place / "participant.po").write_text(po({(None, "Skicka"): f"[{language}]"}), encoding="utf-8")
        (place / "questions.po").write_text(text, encoding="utf-8")
    return i18n.load(folder, chosen)


def offered(found: Languages) -> list[str]:
    return [translator.language for translator in found.offering(TEXTS)]


@pytest.mark.parametrize(
    ("wishes", "among", "language"),
    [
        (["fa-AF", "sv"], {"sv", "en"}, "sv"),
        (["fa-AF", "sv"], {"sv", "en", "fa"}, "fa"),
        (["fa-AF", "en-GB", "sv"], {"sv", "en"}, "en"),
        (["en-US"], {"sv", "en"}, "en"),
        (["sv-FI"], {"sv", "en"}, "sv"),
        (["EN-us"], {"sv", "en"}, "en"),
        (["so"], {"sv", "en"}, "sv"),
        (["en"], {"sv"}, "sv"),
        ([], {"sv", "en"}, "sv"),
        (["", "*", "x-@@", "---", "🙂", "a" * 5000], {"sv", "en"}, "sv"),
        (["*", "en"], {"sv", "en"}, "en"),
        (["pt-BR"], {"sv", "pt_BR"}, "pt_BR"),
        (["pt-br"], {"sv", "pt_BR"}, "pt_BR"),
        (["sr-latn-rs", "sr-Latn"], {"sv", "sr_Latn"}, "sr_Latn"),
    ],
)
def test_people_get_the_first_language_of_theirs_that_there_is(
    wishes: list[str], among: set[str], language: str
) -> None:
    assert i18n.load().negotiate(wishes, among) == language


WISH = st.one_of(st.sampled_from(["sv-SE", "EN", "Fa-AF", "pt-br", "ar-001", "iw", "no"]), st.text(max_size=12))


@given(wishes=st.lists(WISH, max_size=5), among=st.sets(st.sampled_from(["sv", "en", "fa", "pt_BR", "he", "nb"])))
@settings(deadline=None, max_examples=200)
def test_nobody_gets_a_language_that_is_not_on_offer(wishes: list[str], among: set[str]) -> None:
    """It would be a page that nothing can write."""
    assert INSTALLED.negotiate(wishes, among) in among | {"sv"}


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("tr-TR, sv;q=0.5", "sv"),
        ("tr-TR, en;q=0.7, sv;q=0.5", "en"),
        ("fa-AF, sv;q=0.5", "fa"),
        ("sv;q=0.5, en-US;q=0.9", "en"),
        ("EN", "en"),
        ("SV-SE", "sv"),
        ("tr, da;q=0.5", "sv"),
        ("ti, so;q=0.5", "ti"),
        ("fil-PH, en;q=0.5", "en"),
        ("", "sv"),
        (";;,q=,=*", "sv"),
    ],
)
def test_a_phone_is_answered_in_its_own_language(participant: InspectingClient, header: str, language: str) -> None:
    page = Page(participant.get("/", headers={"Accept-Language": header}).text)
    assert page.all("html")[0]["lang"] == language


def test_a_language_that_has_every_question_is_offered(tmp_path: Path) -> None:
    found = languages(tmp_path, ar=po(questions()), uk=po(questions()))
    assert offered(found) == ["sv", "uk", "ar"]
    assert "ar" in found
    assert "fa" not in found
    assert found["ar"].question("adult.useful", ADULT.texts()["useful"]) == "[useful]"
    assert found["ar"].interface.gettext("Skicka") == "[ar]"


@pytest.mark.parametrize("lacking", TEXTS)
def test_a_language_with_one_question_missing_is_not_offered(tmp_path: Path, lacking: str) -> None:
    found = languages(tmp_path, ar=po(questions(but=lacking)), uk=po(questions()))
    assert offered(found) == ["sv", "uk"]
    assert found.missing_questions("ar", TEXTS) == [lacking]
    assert found.missing_questions("uk", TEXTS) == found.missing_questions("sv", TEXTS) == []


def test_a_translation_that_nobody_has_looked_at_again_is_not_offered(tmp_path: Path) -> None:
    found = languages(tmp_path, ar=po(questions(), fuzzy="adult.useful"))
    assert offered(found) == ["sv"]
    assert found.missing_questions("ar", TEXTS) == ["adult.useful"]


def test_a_question_that_has_been_reworded_takes_its_old_translation_out_of_use(tmp_path: Path) -> None:
    found = languages(tmp_path, ar=po(questions()))
    reworded = TEXTS | {"adult.useful": "Mötet gjorde nytta."}
    assert found.missing_questions("ar", reworded) == ["adult.useful"]
    assert [one.language for one in found.offering(reworded)] == ["sv"]


def test_the_same_words_in_another_questionnaire_are_another_question(tmp_path: Path) -> None:
    found = languages(tmp_path, ar=po(questions()))
    child = catalogue.load()["child"]
    missing = found.missing_questions("ar", {context(child, key): text for key, text in child.texts().items()})
    assert missing == [context(child, key) for key in child.texts()]


@pytest.mark.parametrize(
    ("saved", "why"),
    [
        ({}, "a text that is missing"),
        ({(None, "Skicka"): ""}, "a text that is empty"),
        ({(None, "Skicka"): "%(number)s"}, "a text that fills in what there is not"),
        ({(None, "Skicka"): "100 %"}, "a stray per cent sign, which would fail on the page"),
        ({(None, "Skicka"): "50% k"}, "another"),
        ({(None, "Skicka"): "%(nope)999999999s"}, "a width that fills the memory"),
        ({(None, "Skicka"): "<b>x</b>"}, "markup"),
        ({(None, "Skicka"): "Du & jag"}, "what would be read as markup"),
        ({(None, "Skicka"): 'min \\"syster\\"'}, "a straight quotation mark, which ends an attribute"),
        ({(None, "Skickat"): "x"}, "another text in its place"),
    ],
)
def test_a_language_that_lacks_a_text_is_not_offered_and_is_named(
    tmp_path: Path, saved: dict[tuple[str | None, str], str], why: str
) -> None:
    languages(tmp_path, ar=po(questions()), uk=po(questions()))
    (tmp_path / "uk" / "LC_MESSAGES" / "participant.po").write_text(po(saved), encoding="utf-8")
    found = i18n.load(tmp_path)
    assert offered(found) == ["sv", "ar"], why
    [fault] = found.faults
    assert fault.startswith(
        "translations/uk: participant.po lacks 1 texts that can be used, 'Skicka' first; it is not offered"
    ), fault


def test_settings_choose_what_is_offered_and_swedish_is_always_there(tmp_path: Path) -> None:
    languages(tmp_path, ar=po(questions()), uk=po(questions()))
    for chosen, left in [
        ({"ar"}, ["sv", "ar"]),
        ({"sv", "uk"}, ["sv", "uk"]),
        (set(), ["sv"]),
        (None, ["sv", "uk", "ar"]),
    ]:
        found = i18n.load(tmp_path, chosen)
        assert offered(found) == left
        assert list(found.known) == ["sv", "uk", "ar"], "staff see all there are"
        assert not found.faults
    [fault] = i18n.load(tmp_path, {"sv", "xx"}).faults
    assert fault.startswith("the setting languages names 'xx'")


def test_staff_pages_are_had_only_in_languages_that_have_them_whole(tmp_path: Path) -> None:
    languages(tmp_path, ar=po(questions()), uk=po(questions()), fi=po(questions()))
    (tmp_path / "uk" / "LC_MESSAGES" / "staff.po").write_text(po({(None, "Möten"): "[staff]"}), encoding="utf-8")
    (tmp_path / "fi" / "LC_MESSAGES" / "staff.po").write_text(po({}), encoding="utf-8")
    found = i18n.load(tmp_path)
    assert list(found.for_staff) == ["sv", "uk"]
    assert [found["uk"].interface.gettext(text) for text in ("Möten", "Skicka")] == ["[staff]", "[uk]"]
    assert list(found.translators) == ["sv", "fi", "uk", "ar"], "participants need nothing of it"
    [fault] = found.faults
    assert fault.startswith("translations/fi: staff.po lacks 1 texts that can be used, 'Möten' first; the staff pages")


@pytest.mark.parametrize(
    ("headers", "reviewer"),
    [
        (("Amal Ali, 2026-12-01", "Amal Ali, 2026-12-01"), "Amal Ali, 2026-12-01"),
        (("Amal Ali", "Sara"), "Amal Ali, Sara"),
        (("nobody", "Sara"), None),
        (("Sara", "nobody"), None),
        (("", "Sara"), None),
        (("nobody", "nobody"), None),
    ],
)
def test_a_language_says_who_has_reviewed_it(tmp_path: Path, headers: tuple[str, str], reviewer: str | None) -> None:
    """Both the questions and everything around them have to be."""
    languages(tmp_path, ar=po(questions()))
    for domain, name in zip(("participant", "questions"), headers, strict=True):
        file = tmp_path / "ar" / "LC_MESSAGES" / f"{domain}.po"
        line = f'msgstr "X-Reviewed-By: {name}\\n"\n"Content-Type'
        file.write_text(file.read_text("utf-8").replace('msgstr "Content-Type', line, 1), encoding="utf-8")
    found = i18n.load(tmp_path)
    assert found["ar"].reviewer == reviewer
    assert found["ar"].is_unreviewed is (reviewer is None)
    assert not found["sv"].is_unreviewed


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("ring Bris 116 111.", "ring \u2066Bris 116 111\u2069."),
        ("اتصل على 116 111.", "اتصل على \u2066116 111\u2069."),
        ("%(number)s من %(all)s", "\u2068%(number)s\u2069 من \u2068%(all)s\u2069"),
        ("WCAG 2.2 و EN 301 549", "\u2066WCAG 2.2\u2069 و \u2066EN 301 549\u2069"),
        ("شكرًا.", "شكرًا."),
    ],
)
def test_numbers_run_from_left_to_right_within_what_runs_the_other_way(text: str, kept: str) -> None:
    assert isolated(text) == kept


@pytest.mark.parametrize(
    ("language", "direction", "name"),
    [
        ("sv", "ltr", "Svenska"),
        ("ar", "rtl", "العربية"),
        ("fa", "rtl", "دری / فارسی"),
        ("ckb", "rtl", "کوردی (سۆرانی)"),
        ("uk", "ltr", "Українська"),
        ("ti", "ltr", "ትግርኛ"),
        ("so", "ltr", "Af-Soomaali"),
    ],
)
def test_a_language_knows_its_direction_and_its_own_name(
    tmp_path: Path, language: str, direction: str, name: str | None
) -> None:
    found = languages(tmp_path, **({language: po({})} if language != "sv" else {"en": po({})}))
    assert found[language].direction == direction
    if name:
        assert found[language].name == name


@pytest.mark.parametrize(
    ("language", "day", "weekday", "full"),
    [
        ("sv", "20 november", "fredag 20 november", "20 november 2026"),
        ("en", "20 November", "Friday 20 November", "20 November 2026"),
    ],
)
def test_a_day_is_said_as_people_say_it(language: str, day: str, weekday: str, full: str) -> None:
    said = i18n.load()[language]
    assert (said.day(DAY), said.day(DAY, weekday=True), said.full_day(DAY)) == (day, weekday, full)


BROKEN = {
    "half merged": b'<<<<<<< HEAD\nmsgid "Skicka"\nmsgstr "x"\n=======\n',
    "a line on its own": b'"Skicka"\n',
    "not UTF-8": b'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "a"\nmsgstr "\xff\xfe"\n',
    "not a catalogue": b"Hello!\n",
    "in Latin-1": b'msgid ""\nmsgstr "Content-Type: text/plain; charset=iso-8859-1\\n"\n\nmsgid "a"\nmsgstr "\xe4"\n',
    "a plural that divides by zero": b'msgid ""\nmsgstr "Plural-Forms: nplurals=2; plural=n%0;\\n"\n',
}


@pytest.mark.parametrize("file", ["participant.po", "questions.po", "staff.po"])
@pytest.mark.parametrize("content", [*BROKEN.values(), None], ids=[*BROKEN.keys(), "missing"])
def test_a_catalogue_that_cannot_be_read_is_named_and_the_other_languages_are_there(
    tmp_path: Path, file: str, content: bytes | None
) -> None:
    languages(tmp_path, ar=po(questions()), uk=po(questions()))
    place = tmp_path / "uk" / "LC_MESSAGES" / file
    if content is None:
        place.unlink(missing_ok=True)
    else:
        place.write_bytes(content)
    found = i18n.load(tmp_path)
    if (file, content) == ("staff.po", None):
        assert offered(found) == ["sv", "uk", "ar"]
        return
    assert offered(found) == ["sv", "ar"]
    [fault] = found.faults
    assert fault.startswith(f"translations/uk: {file} cannot be read: ")


def test_a_folder_that_is_no_language_is_named(tmp_path: Path) -> None:
    [fault] = languages(tmp_path, klingon=po({})).faults
    assert fault.startswith("translations/klingon: participant.po cannot be read: ")


@cache
def extractor() -> ModuleType:
    """`make translations`, without its writing."""
    spec = importlib.util.spec_from_file_location("update_translations", TRANSLATIONS / "update.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def extracted() -> dict[str, Catalog]:
    return extractor().extract()


@cache
def held(language: str, domain: str) -> Catalog:
    with (TRANSLATIONS / language / "LC_MESSAGES" / f"{domain}.po").open("rb") as file:
        return read_po(file, locale=language)


def messages(catalog: Catalog) -> dict[tuple[str | None, str | tuple[str, ...]], Message]:
    return {
        (one.context, tuple(one.id) if isinstance(one.id, list | tuple) else one.id): one for one in catalog if one.id
    }


CATALOGUES = [(file.parent.parent.name, file.stem) for file in sorted(TRANSLATIONS.glob("*/LC_MESSAGES/*.po"))]
EVERY_LANGUAGE = ["sv", "ar", "ckb", "en", "fa", "fi", "pl", "so", "ti", "uk"]


def test_the_extraction_finds_what_people_read() -> None:
    """Otherwise an empty extraction would agree with empty catalogues."""
    assert (None, "Svara på minst en fråga.") in messages(extracted()["participant"]), "in Python"
    assert (None, "Skicka") in messages(extracted()["participant"]), "in a template"
    assert (None, "Nätverksmöte") in messages(extracted()["staff"]), "in a table of words"
    assert not set(messages(extracted()["participant"])) & set(messages(extracted()["staff"]))
    every = {(context(form, key), text) for form in catalogue.load() for key, text in form.texts().items()}
    assert set(messages(extracted()["questions"])) == every


@pytest.mark.parametrize("domain", ["participant", "questions", "staff"])
def test_the_templates_for_translators_are_fresh(domain: str) -> None:
    with (TRANSLATIONS / f"{domain}.pot").open("rb") as file:
        assert set(messages(read_po(file))) == set(messages(extracted()[domain])), "run `make translations`"


@pytest.mark.parametrize(("language", "domain"), CATALOGUES)
def test_the_catalogues_are_fresh_and_whole(language: str, domain: str) -> None:
    """A text that is new, gone, empty, fuzzy, or names other things than its source, in any language."""
    there, due = messages(held(language, domain)), messages(extracted()[domain])
    assert due.keys() - there.keys() == set(), "run `make translations` and translate what is new"
    assert there.keys() - due.keys() == set(), "run `make translations`, which removes what is gone"
    unusable = [
        key for key, message in there.items() if lacks(held(language, domain), _first(message), message.context)
    ]
    assert not unusable, f"{language}: {len(unusable)} texts of {domain}.po cannot be used"


def _first(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


@pytest.mark.parametrize(("language", "domain"), CATALOGUES)
def test_each_catalogue_says_what_it_is_and_who_has_reviewed_it(language: str, domain: str) -> None:
    file = TRANSLATIONS / language / "LC_MESSAGES" / f"{domain}.po"
    assert header(file, "Language") == language
    assert header(file, "Content-Type") == "text/plain; charset=utf-8"
    assert header(file, "X-Reviewed-By"), "write nobody where nobody has"


def test_ten_languages_are_offered_on_every_form() -> None:
    assert INSTALLED.faults == []
    assert sorted(INSTALLED.translators) == sorted(EVERY_LANGUAGE)
    assert list(INSTALLED.for_staff) == ["sv", "en"]
    for form in catalogue.load():
        texts = {context(form, key): text for key, text in form.texts().items()}
        assert sorted(one.language for one in INSTALLED.offering(texts)) == sorted(EVERY_LANGUAGE), form.id


@pytest.mark.parametrize("language", EVERY_LANGUAGE)
def test_the_steps_of_a_scale_are_all_different(language: str) -> None:
    """Two steps with one name would be one step."""
    for form in catalogue.load():
        said = [
            INSTALLED[language].question(context(form, f"point.{point.value}"), point.text) for point in form.points
        ]
        assert len(set(said)) == len(form.points), (form.id, said)


def test_updating_keeps_a_reviewer_until_a_text_is_new(tmp_path: Path) -> None:
    place = tmp_path / "ar" / "LC_MESSAGES"
    place.mkdir(parents=True)
    template = {"participant": Catalog()}
    template["participant"].add("Skicka")
    extractor().update(place, template)
    file = place / "participant.po"
    assert header(file, "X-Reviewed-By") == "nobody"
    file.write_text(file.read_text("utf-8").replace("By: nobody", "By: Amal Ali"), encoding="utf-8")
    extractor().update(place, template)
    assert header(file, "X-Reviewed-By") == "Amal Ali"
    template["participant"].add("Tack.")
    extractor().update(place, template)
    assert header(file, "X-Reviewed-By") == "nobody"
