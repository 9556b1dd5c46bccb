"""Settings: where they come from, and that each one that cannot be used is refused in a sentence with its mend."""

import re
from datetime import date, datetime
from pathlib import Path

import pytest

from enkat.model.errors import SettingsError
from enkat.settings import ZONE, Settings, load


def chosen(folder: Path, toml: str = "", **environment: str) -> Settings:
    """The settings of an instance folder with that enkat.toml, in that environment."""
    folder.mkdir(exist_ok=True)
    if toml:
        (folder / "enkat.toml").write_text(toml, encoding="utf-8")
    return load(
        {"ENKAT_INSTANCE": str(folder)} | {f"ENKAT_{name.upper()}": value for name, value in environment.items()}
    )


def refused(folder: Path, toml: str = "", **environment: str) -> str:
    """The one sentence with which the settings are refused."""
    with pytest.raises(SettingsError) as error:
        chosen(folder, toml, **environment)
    sentence = str(error.value)
    assert sentence.strip()
    assert "\n" not in sentence, "one sentence"
    return sentence


def test_an_installation_that_says_nothing_has_defaults(tmp_path: Path) -> None:
    assert chosen(tmp_path) == Settings(tmp_path)
    plain = chosen(tmp_path)
    assert (plain.base_url, plain.smallest_group, plain.fixed_today, plain.leave_out) == (None, 5, None, frozenset())
    assert datetime.now(ZONE).date() <= plain.today() <= datetime.now(ZONE).date(), "at midnight too"


def test_the_database_and_the_keys_lie_beside_each_other(tmp_path: Path) -> None:
    settings = chosen(tmp_path)
    assert settings.database == tmp_path / "enkat.db"
    assert settings.keys == tmp_path / "keys"


def test_the_instance_folder_is_named_from_where_one_stands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert load({}).instance == tmp_path / "instance"
    assert load({"ENKAT_INSTANCE": "elsewhere"}).instance == tmp_path / "elsewhere"
    assert not (tmp_path / "instance").exists(), "reading settings makes nothing"


FILE = """
base_url = "https://svar.example.se/"
smallest_group = 7
today = 2026-11-20
controller = "Socialnämnden"
contact = " dataskydd@example.se "
leave_out = ["adult.trust"]
"""


def test_the_file_speaks_over_the_defaults(tmp_path: Path) -> None:
    said = chosen(tmp_path, FILE.replace("today = 2026-11-20", ""))
    assert said == Settings(
        tmp_path,
        base_url="https://svar.example.se",
        smallest_group=7,
        controller="Socialnämnden",
        contact="dataskydd@example.se",
        leave_out=frozenset({"adult.trust"}),
    )
    assert said.has_tls


def test_the_environment_speaks_over_the_file(tmp_path: Path) -> None:
    said = chosen(
        tmp_path,
        FILE,
        base_url="http://192.168.1.7:8000",
        smallest_group="9",
        today="2026-12-01",
        controller="Nämnden",
        contact="0100-100 00",
        leave_out="adult.trust, child.help",
    )
    assert said == Settings(
        tmp_path,
        "http://192.168.1.7:8000",
        9,
        date(2026, 12, 1),
        "Nämnden",
        "0100-100 00",
        frozenset({"adult.trust", "child.help"}),
    )
    assert said.today() == date(2026, 12, 1)
    assert not said.has_tls


def test_an_empty_variable_says_nothing(tmp_path: Path) -> None:
    assert chosen(tmp_path, "smallest_group = 7", smallest_group="", controller="  ").smallest_group == 7
    assert chosen(tmp_path, "smallest_group = 7", controller="  ").controller is None


def test_links_begin_with_the_served_address_unless_a_base_url_is_set(tmp_path: Path) -> None:
    environment = {"ENKAT_INSTANCE": str(tmp_path)}
    assert load(environment, served="http://127.0.0.1:8000").base_url == "http://127.0.0.1:8000"
    said = load(environment | {"ENKAT_BASE_URL": "https://svar.example.se"}, served="http://127.0.0.1:8000")
    assert said.base_url == "https://svar.example.se"


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8000",
        "http://enkat.localhost",
        "http://laptop.local:8000",
        "http://127.0.0.1",
        "http://10.0.0.7:8000",
        "http://192.168.1.7",
        "http://172.16.4.4",
        "http://[::1]:8000",
        "http://[fe80::1]",
        "http://[fd12:3456::1]:8000",
        "https://svar.example.se",
        "https://svar.example.se:8443",
        "https://127.0.0.1",
    ],
)
def test_https_may_be_public_and_http_only_private(tmp_path: Path, url: str) -> None:
    assert chosen(tmp_path, base_url=url).base_url == url


@pytest.mark.parametrize(
    "url",
    ["http://svar.example.se", "http://8.8.8.8:8000", "http://localhost.example.se", "http://[2a00::1]", "HTTP://a.se"],
)
@pytest.mark.parametrize("way", ["environment", "file"])
def test_public_http_is_refused(tmp_path: Path, url: str, way: str) -> None:
    if way == "file":
        sentence = refused(tmp_path, f'base_url = "{url}"')
        assert f"base_url in {tmp_path / 'enkat.toml'}" in sentence
    else:
        sentence = refused(tmp_path, base_url=url)
        assert "ENKAT_BASE_URL" in sentence
    assert url in sentence
    assert "https://" in sentence, "the mend"


@pytest.mark.parametrize(
    "url",
    [
        "svar.example.se",
        "ftp://svar.example.se",
        "https://",
        "https://svar.example.se/enkat",
        "https://svar.example.se?a=1",
        "https://svar.example.se#top",
        "https://kim@svar.example.se",
        "https://:secret@svar.example.se",
        "https://svar.example.se:port",
        "https://svar.example.se:99999",
        "https://[::1",
        "https://svar example.se",
        "javascript:alert(1)",
    ],
)
def test_an_address_that_no_link_can_begin_with_is_refused(tmp_path: Path, url: str) -> None:
    sentence = refused(tmp_path, base_url=url)
    assert "ENKAT_BASE_URL" in sentence
    assert url in sentence


def test_https_is_https_however_it_is_written(tmp_path: Path) -> None:
    """Else the staff's cookies would go without `Secure`."""
    assert chosen(tmp_path, base_url="HTTPS://svar.example.se").has_tls


@pytest.mark.parametrize("url", ["https://svar.example.se", "https://8.8.8.8"])
def test_the_calendar_cannot_be_stopped_where_the_public_comes(tmp_path: Path, url: str) -> None:
    sentence = refused(tmp_path, base_url=url, today="2026-11-20")
    assert sentence.startswith("ENKAT_TODAY: ")
    assert url in sentence
    assert "remove one" in sentence
    assert "today in" in refused(tmp_path, f'base_url = "{url}"\ntoday = 2026-11-20')


def test_the_calendar_may_be_stopped_in_a_demonstration(tmp_path: Path) -> None:
    assert chosen(tmp_path, today="2026-11-20").today() == date(2026, 11, 20)
    assert chosen(tmp_path, 'today = "2026-11-20"\nbase_url = "https://127.0.0.1"').today() == date(2026, 11, 20)


@pytest.mark.parametrize(
    ("toml", "setting", "mend"),
    [
        ("smallest_group = 4", "smallest_group", "a whole number from 5 to 100, not '4'"),
        ("smallest_group = 0", "smallest_group", "from 5 to 100"),
        ("smallest_group = -5", "smallest_group", "from 5 to 100"),
        ("smallest_group = 5.5", "smallest_group", "from 5 to 100"),
        ("smallest_group = true", "smallest_group", "from 5 to 100"),
        ('smallest_group = "five"', "smallest_group", "from 5 to 100"),
        ("smallest_group = [5]", "smallest_group", "from 5 to 100"),
        ('today = "20/11 2026"', "today", "a date such as 2026-11-20"),
        ('today = "2026-02-30"', "today", "a date such as 2026-11-20"),
        ("today = 2026-11-20T10:00:00", "today", "a date such as 2026-11-20"),
        ("today = 20261301", "today", "a date such as 2026-11-20"),
        ("controller = 5", "controller", "in quotation marks"),
        ('controller = " "', "controller", "in quotation marks"),
        ("contact = []", "contact", "in quotation marks"),
        ("base_url = 5", "base_url", "in quotation marks"),
        ("leave_out = 5", "leave_out", "a list of texts"),
        ("leave_out = [5]", "leave_out", "a list of texts"),
        ("leave_out = {trust = true}", "leave_out", "a list of texts"),
        ('databas = "x"', "'databas'", "the settings are base_url, smallest_group"),
        ("[section]\nbase_url = 5", "'section'", "the settings are"),
        ('base_url = "https://a.se', "", "cannot be read"),
    ],
)
def test_a_bad_setting_in_the_file_is_named_with_its_mend(tmp_path: Path, toml: str, setting: str, mend: str) -> None:
    sentence = refused(tmp_path, toml)
    assert str(tmp_path / "enkat.toml") in sentence
    assert setting in sentence
    assert mend in sentence


@pytest.mark.parametrize(
    ("name", "value", "mend"),
    [
        ("smallest_group", "4", "from 5 to 100, not '4'"),
        ("smallest_group", "many", "from 5 to 100"),
        ("smallest_group", "101", "from 5 to 100"),
        ("smallest_group", "٧", "from 5 to 100"),
        ("today", "tomorrow", "a date such as 2026-11-20"),
        ("base_url", "http://svar.example.se", "https://"),
    ],
)
def test_a_bad_setting_in_the_environment_is_named_even_where_the_file_has_a_good_one(
    tmp_path: Path, name: str, value: str, mend: str
) -> None:
    sentence = refused(tmp_path, FILE.replace("today = 2026-11-20", ""), **{name: value})
    assert sentence.startswith(f"ENKAT_{name.upper()}: ")
    assert mend in sentence


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "enkat.toml").write_bytes(b'controller = "\xff\xfe"')
    assert f"{tmp_path / 'enkat.toml'} cannot be read" in refused(tmp_path)


def test_a_folder_in_the_files_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "enkat.toml").mkdir()
    assert f"{tmp_path / 'enkat.toml'} cannot be read" in refused(tmp_path)


def test_a_municipality_shows_its_name_logo_colour_and_languages(tmp_path: Path) -> None:
    said = chosen(
        tmp_path,
        'name = " Mitthems  kommun "\nlogo = "logo.svg"\naccent = "#00518a"\nlanguages = ["sv", "ar", "pt_BR"]',
    )
    assert (said.name, said.logo, str(said.accent)) == ("Mitthems kommun", "logo.svg", "#00518a")
    assert said.languages == {"sv", "ar", "pt_BR"}
    assert chosen(tmp_path, languages="sv, ti").languages == {"sv", "ti"}


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ({"accent": "green"}, "no colour such as #0b5d4e"),
        ({"accent": "#12345"}, "no colour such as #0b5d4e"),
        ({"accent": "#7ccbb5"}, r"the contrast of #7ccbb5 .* is 1\.\d:1 and has to be 4\.5:1; choose a darker one"),
        ({"accent": "#777777"}, r"and has to be 4\.5:1"),
        ({"name": "x" * 61}, "at most 60 characters"),
        ({"name": "Mitt\x07hem"}, "cannot be seen"),
        ({"name": "Mal\udcf6"}, "not UTF-8"),
        ({"name": "\u202eMitthem"}, "cannot be seen"),
        ({"contact": "a\u200b@b.example"}, "cannot be seen"),
        ({"logo": "logo.svg"}, "need the name too"),
        ({"languages": "sv,klingon!"}, "'klingon!' is no language"),
    ],
)
def test_what_cannot_be_shown_is_refused(tmp_path: Path, setting: dict[str, str], why: str) -> None:
    sentence = refused(tmp_path, **setting)
    assert re.search(why, sentence), sentence
    assert f"ENKAT_{next(iter(setting)).upper()}" in sentence
