"""A participant's form: judged strictly, read into answers, and kept as it was filled in when it is refused."""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import Field, HiddenField, StringField, TextAreaField
from wtforms.form import BaseForm
from wtforms.validators import Length, Optional, ValidationError

from enkat.model.survey import TEXT_LIMIT, Answer, Item, ItemKind, Missing, Questionnaire
from enkat.secrecy import tokens
from enkat.web.context import gettext as _
from enkat.wording.participants import REFUSALS

#: The two ways of not answering that a form may send; leaving an item out is the third.
_SENT_MISSING = (Missing.UNKNOWN, Missing.DECLINED)


_EMPTY, _NOT_WHOLE = REFUSALS["empty"], REFUSALS["submission"]


@dataclass(frozen=True)
class AnswerForm:
    """A form as it came: what to fill in again, the faults of the whole and of each item, and the answers."""

    submission: str
    values: Mapping[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    item_faults: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)

    @property
    def is_valid(self) -> bool:
        """True where nothing has to be mended."""
        return not self.faults and not self.item_faults


def renewed(form: AnswerForm) -> AnswerForm:
    """The same form under a new id, where its own cannot be used: what was filled in can be sent again."""
    return replace(form, submission=tokens.new_submission(), faults=[_(_NOT_WHOLE)])


def unjudged(form: AnswerForm) -> AnswerForm:
    """The same form as it is filled in, before anybody asks whether it can be sent."""
    return AnswerForm(form.submission, form.values)


def read(questionnaire: Questionnaire, sent: MultiDict[str, str]) -> AnswerForm:
    """Judge what was sent against the questionnaire; unknown, repeated and unreadable fields are faults."""
    form = BaseForm({item.id: FIELDS[item.kind](questionnaire) for item in questionnaire.items} | _SUBMISSION)
    form.process(sent)
    form.validate()
    items = {item.id: item for item in questionnaire.items}
    faults = _foreign(sent, set(items) | set(_SUBMISSION))
    item_faults = {name: str(form[name].errors[0]) for name in items if form[name].errors}
    faults += [str(error) for error in form["submission"].errors]
    answers = {
        name: _answer(item, form[name].data)
        for name, item in items.items()
        if name not in item_faults and (item.kind is not ItemKind.TEXT or form[name].data)
    }
    if not faults and not item_faults and all(one.missing is Missing.SKIPPED for one in answers.values()):
        faults.append(_(_EMPTY))
    submission = form["submission"].data or ""
    return AnswerForm(
        submission if tokens.is_submission(submission) else tokens.new_submission(),
        {name: form[name].data or "" for name in items},
        faults,
        item_faults,
        answers,
    )


def _foreign(sent: MultiDict[str, str], known: set[str]) -> list[str]:
    """The first field that does not belong on the form or stands there twice, named."""
    for name, values in sent.lists():
        shown = str(name)[:40].replace("\0", "")
        if name not in known:
            return [_("Formuläret innehåller ett fält som inte hör hit: %(name)s.", name=shown)]
        if len(values) > 1:
            return [_("Fältet %(name)s kom flera gånger. Skicka ett svar på varje fråga.", name=shown)]
    return []


def _scale_field(questionnaire: Questionnaire) -> Any:
    values = [str(point.value) for point in questionnaire.points] + list(_SENT_MISSING)
    return StringField(validators=[_one_of(values)])


def _text_field(_questionnaire: Questionnaire) -> Any:
    too_long = _("Texten är för lång. Den får ha högst %(most)s tecken.", most=TEXT_LIMIT)
    return TextAreaField(filters=[_plain], validators=[_readable, Optional(), Length(max=TEXT_LIMIT, message=too_long)])


#: One entry for each kind of item: the field that judges what was sent.
FIELDS: dict[ItemKind, Callable[[Questionnaire], Any]] = {
    ItemKind.AGREEMENT: _scale_field,
    ItemKind.FACES: _scale_field,
    ItemKind.TEXT: _text_field,
}


def _plain(text: str | None) -> str:
    """Line breaks as one character each, and nothing around the text; nothing at all where nothing can be seen."""
    plain = (text or "").replace("\r\n", "\n").replace("\r", "\n").strip()
    return plain if any(not mark.isspace() and unicodedata.category(mark) != "Cf" for mark in plain) else ""


def _one_of(values: list[str]) -> Callable[[BaseForm, Field], None]:
    def judge(_form: BaseForm, sent: Field) -> None:
        if sent.data and sent.data not in values:
            raise ValidationError(_("Välj ett av svaren på frågan."))

    return judge


def _readable(_form: BaseForm, sent: Field) -> None:
    """Refuses what was not sent as UTF-8, and characters that no keyboard writes."""
    text = sent.data or ""
    if any(mark == "\ufffd" or (ord(mark) < 32 and mark not in "\n\t") or ord(mark) == 127 for mark in text):
        raise ValidationError(_("Texten innehåller tecken som inte går att läsa. Skriv om den."))


def _known_submission(_form: BaseForm, sent: Field) -> None:
    if not tokens.is_submission(sent.data or ""):
        raise ValidationError(_(_NOT_WHOLE))


_SUBMISSION: dict[str, Any] = {"submission": HiddenField(validators=[_known_submission])}


def _answer(item: Item, sent: str | None) -> Answer:
    if not sent:
        return Answer(missing=Missing.SKIPPED)
    if item.kind is ItemKind.TEXT:
        return Answer(text=sent)
    if sent in _SENT_MISSING:
        return Answer(missing=Missing(sent))
    return Answer(value=int(sent))
