"""When people may be sent something: not at night, and a reminder never on a Sunday or holiday either."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

from enkat.settings import ZONE

if TYPE_CHECKING:
    from holidays import HolidayBase

#: Local hours between which a message may come that nobody is waiting for.
DAY = (time(8), time(21))

#: Local hours between which the reminder may come.
OFFICE = (time(10), time(18))

#: Days before closing on which a reminder still helps.
REMINDED_BEFORE = 2


def next_in_daytime(moment: datetime) -> datetime:
    """The moment, or the next morning where it is in the night; UTC."""
    local = moment.astimezone(ZONE)
    if DAY[0] <= local.time() < DAY[1]:
        return moment.astimezone(UTC)
    day = local.date() + timedelta(days=local.time() >= DAY[1])
    return datetime.combine(day, DAY[0], ZONE).astimezone(UTC)


def next_for_reminders(moment: datetime) -> datetime:
    """The moment, or the next at which a reminder may come; UTC."""
    local = moment.astimezone(ZONE)
    if is_free(local.date()) or local.time() >= OFFICE[1]:
        day = next_working_day(local.date() + timedelta(days=1))
    elif local.time() < OFFICE[0]:
        day = local.date()
    else:
        return moment.astimezone(UTC)
    return datetime.combine(day, OFFICE[0], ZONE).astimezone(UTC)


def reminder_day(sent: date, closes: date, after: int) -> date | None:
    """The day of the reminder for a link that was sent on a day; None where it would come too late to help."""
    day = next_working_day(sent + timedelta(days=after))
    return day if day <= closes - timedelta(days=REMINDED_BEFORE) else None


def next_working_day(day: date) -> date:
    """The day, or the next that is neither Sunday nor holiday."""
    while is_free(day):
        day += timedelta(days=1)
    return day


def is_free(day: date) -> bool:
    """True for Sundays, holidays, and the eves on which Sweden is closed."""
    with _ASKED:  # the library works a year out when it is first asked for one of its days
        return day.isoweekday() == 7 or day in _holidays()


_ASKED = Lock()


@cache
def _holidays() -> "HolidayBase":
    """The library is large, and only the background work asks it."""
    import holidays

    return holidays.country_holidays("SE", categories=("public", "de_facto"))
