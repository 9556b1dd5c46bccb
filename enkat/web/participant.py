"""The participant's pages: the form at the link, thanks, taking back, and the notice.

No cookie, no session and no CSRF token here: the link is the authority.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from enkat import answering
from enkat.catalogue import translated
from enkat.model.errors import (
    ClosedSurvey,
    PlaceTaken,
    Refused,
    RevokedLink,
    StoreError,
    UnknownLink,
    UnknownReceipt,
)
from enkat.model.meeting import Link
from enkat.model.survey import Questionnaire, Submission
from enkat.secrecy import tokens
from enkat.secrecy.guessing import Guess
from enkat.web import access, answer_form
from enkat.web.answer_form import AnswerForm
from enkat.web.context import db, house, is_from_elsewhere, speak, today, translator
from enkat.web.context import gettext as _
from enkat.web.guesses import Slowed, guessing, may_be_told, told_to_wait

pages = Blueprint("participant", __name__)

#: Where "leave this page" leads: the weather, which anybody may have been reading.
ELSEWHERE = "https://www.smhi.se/"

#: A key has ten characters, more with spaces or hyphens; every page of ours has a shorter name.
_KEY = "string(minlength=10):key"

_Page = tuple[str, int]


@pages.route("/", methods=["GET", "POST"])
@access.public
def start() -> _Page | Response:
    """A field for the typed key."""
    if request.method != "POST":
        return render_template("participant/start.html", typed="", fault=None), 200
    typed = request.form.get("key", "")
    key = tokens.normal_key(typed)
    if key is None:
        fault, status = _("Koden har tio tecken, två grupper om fem. Läs av den en gång till."), 400
    else:
        try:
            with guessing(Guess.KEY):
                answering.find_link(db(), house().keys, key)
        except UnknownLink:
            fault, status = _("Ingen öppen enkät har den koden. Läs av den en gång till."), 404
        except Slowed as slowed:
            page = render_template("participant/start.html", typed=typed[:40], fault=_wait(slowed))
            return told_to_wait(page, slowed)
        else:
            return redirect(url_for("participant.form", key=key, lang=request.args.get("lang")), code=303)
    return render_template("participant/start.html", typed=typed[:40], fault=fault), status


@pages.get(f"/<{_KEY}>")
@access.public
def form(key: str) -> _Page | Response:
    """The form itself: no landing page, and nothing is used up by opening it."""
    return _opened(key, _blank_form)


def _opened(key: str, draw: Callable[[Questionnaire], str]) -> _Page | Response:
    """The form of an open link, drawn as it is to be."""
    try:
        with guessing(Guess.KEY, tokens.normal_key(key)):
            link = answering.open_link(db(), house().keys, key, today())
    except Slowed as slowed:
        if request.method == "POST":
            return told_to_wait(_still_filled(key), slowed)
        return told_to_wait(render_template("participant/wait.html"), slowed, comes_back=True)
    except (UnknownLink, RevokedLink, ClosedSurvey) as refusal:
        return _no_form(refusal)
    return draw(house().catalogue[link.questionnaire]), 200


@pages.post(f"/<{_KEY}>")
@access.public
def send(key: str) -> _Page | Response:
    """Take what was filled in; the reply is the thanks, so that a lost reply can be asked for again."""
    if is_from_elsewhere():
        return _opened(key, _blank_form)
    if "lang" in request.form:
        return _in_another_language(key)
    try:
        with guessing(Guess.KEY, tokens.normal_key(key)):
            link, _meeting = answering.find_link(db(), house().keys, key)
        questionnaire = house().catalogue[link.questionnaire]
        sent = _judged(questionnaire)
        if not sent.is_valid:
            answering.open_link(db(), house().keys, key, today())  # a closed survey asks nobody to mend anything
            return _form_page(questionnaire, sent), 400
        received = answering.submit(db(), house().keys, key, _submission(questionnaire, link, sent), today())
    except Slowed as slowed:
        return told_to_wait(_still_filled(key), slowed)
    except (UnknownLink, RevokedLink, ClosedSurvey) as refusal:
        return _no_form(refusal)
    except Refused:
        return _form_page(questionnaire, answer_form.renewed(sent)), 400
    except PlaceTaken:
        return render_template("participant/taken.html", form=sent), 409
    except StoreError as error:
        current_app.logger.error("%s", error)
        return _not_saved(key)
    if not may_be_told(sent.submission, received.unchanged):
        received = replace(received, unchanged=True)
    return render_template("participant/thanks.html", received=received), 200


def _in_another_language(key: str) -> _Page | Response:
    """The form as it is filled in so far, nothing judged and nothing kept."""
    try:
        return _opened(key, _as_filled_in)
    except StoreError as error:
        current_app.logger.error("%s", error)
        return _not_saved(key)


@pages.route("/withdraw", methods=["GET", "POST"])
@access.public
def withdraw() -> _Page | Response:
    """Take an answer back by its receipt, until it is counted."""
    if request.method != "POST":
        return render_template("participant/withdraw.html", typed="", fault=None), 200
    typed = request.form.get("receipt", "")
    try:
        with guessing(Guess.RECEIPT, tokens.normal_receipt(typed)):
            answering.withdraw(db(), typed)
    except Slowed as slowed:
        return told_to_wait(render_template("participant/withdraw.html", typed=typed[:40], fault=_wait(slowed)), slowed)
    except UnknownReceipt:
        fault = _("Inget inlåst svar har den koden. Kanske är den felskriven, redan använd, eller svaret räknat.")
        return render_template("participant/withdraw.html", typed=typed[:40], fault=fault), 404
    except StoreError as error:
        current_app.logger.error("%s", error)
        fault = _("Svaret är inte borttaget än. Vänta en stund och försök igen.")
        return render_template("participant/withdraw.html", typed=typed[:40], fault=fault), 503
    return render_template("participant/withdrawn.html"), 200


@pages.get("/privacy")
@access.public
def privacy() -> _Page:
    """The notice: who is responsible, what is kept, and the limits of what is promised."""
    return render_template("participant/privacy.html"), 200


#: When the accessibility statement was last gone through.
STATED = date(2026, 11, 22)


@pages.get("/accessibility")
@access.public
def accessibility() -> _Page:
    """The statement that the law asks for (2018:1937), with a way to report what does not work."""
    return render_template("participant/accessibility.html", stated=STATED), 200


@pages.get("/leave")
@access.public
def leave() -> Response:
    """Away from here at once, without a script; the browser is asked to forget what it holds of this site."""
    response = redirect(ELSEWHERE, code=303)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _wait(slowed: Slowed) -> str:
    return _(
        "Det har kommit många felaktiga koder. Vänta och försök sedan igen. Sekunder kvar: %(seconds)s",
        seconds=slowed.wait,
    )


def _no_form(refusal: Exception) -> _Page:
    """A kind page that tells a stranger nothing: not whose meeting, not when, not whether anybody answered."""
    if isinstance(refusal, ClosedSurvey):
        return render_template("participant/closed.html"), 410
    if isinstance(refusal, RevokedLink):
        return render_template("participant/revoked.html"), 410
    return render_template("participant/unknown.html"), 404


def _not_saved(key: str) -> _Page:
    """The filled form again. The database may be out of reach altogether, so the form's own address says which
    questionnaire it is; failing that, its fields do."""
    if tokens.normal_key(key) is None:
        return _no_form(UnknownLink("no link has that key"))
    named = [form for form in house().catalogue if form.id == request.args.get("form")]
    fitting = [form for form in house().catalogue if {item.id for item in form.items} >= set(request.form) - _OWN]
    if not (named or fitting):
        raise StoreError("the database cannot be used now")
    questionnaire = (named or fitting)[0]
    sent = _judged(questionnaire)
    sent.faults.append(_("Ditt svar är inte sparat än. Vänta en stund och skicka igen. Allt du fyllt i är kvar."))
    return _form_page(questionnaire, sent), 503


def _still_filled(key: str) -> str:
    """The filled form again for somebody who has to wait; a page that says so where it is nobody's form."""
    try:
        return _not_saved(key)[0]
    except StoreError:
        return render_template("participant/wait.html")


#: The form's fields that are no items.
_OWN = frozenset({"submission", "lang"})


def _judged(questionnaire: Questionnaire) -> AnswerForm:
    speak(house().offered[questionnaire.id])
    sent = answer_form.read(questionnaire, MultiDict(_but_the_language()))
    if request.files:
        sent.faults.append(_("Filer kan inte tas emot."))
    return sent


def _but_the_language() -> list[tuple[str, str]]:
    """What was sent of the form's own; the language is how it is to be shown."""
    return [(name, value) for name, value in request.form.items(multi=True) if name != "lang"]


def _form_page(questionnaire: Questionnaire, filled: AnswerForm) -> str:
    speak(house().offered[questionnaire.id])
    return render_template(
        "participant/form.html",
        questionnaire=translated(questionnaire, translator().question),
        form=filled,
    )


def _blank_form(questionnaire: Questionnaire) -> str:
    """The form nobody has filled in yet. It differs from one person's to the next by its random id alone, so
    that it is drawn once for each language."""
    speak(house().offered[questionnaire.id])
    drawn: dict[tuple[str, str], str] = current_app.extensions["enkat.forms"]
    place = questionnaire.id, translator().language
    if place not in drawn:
        drawn[place] = _form_page(questionnaire, AnswerForm(_ID_HERE))
    return drawn[place].replace(_ID_HERE, tokens.new_submission())


def _as_filled_in(questionnaire: Questionnaire) -> str:
    """The form with what has come so far, for somebody who chose another language in the midst of it."""
    return _form_page(questionnaire, answer_form.unjudged(_judged(questionnaire)))


#: What stands in a drawn form until somebody opens it; no text of a page has an at sign.
_ID_HERE = "@id@"


def _submission(questionnaire: Questionnaire, link: Link, sent: AnswerForm) -> Submission:
    return Submission(
        id=sent.submission,
        questionnaire=questionnaire.id,
        version=questionnaire.version,
        role=link.role,
        stage=link.stage,
        language=translator().language,
        answers=sent.answers,
    )
