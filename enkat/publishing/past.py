"""What has been decided so far, and what that leaves to be decided."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from enkat.model.result import Grain, Outcome, Quarter, Scope, Snapshot


@dataclass(frozen=True)
class Past:
    """What has been decided, the oldest first: the snapshots that are kept, and those that are not kept yet."""

    kept: tuple[Snapshot, ...]
    new: tuple[Snapshot, ...] = ()

    def and_then(self, found: Sequence[Snapshot]) -> "Past":
        """With further snapshots that are not kept yet."""
        return Past(self.kept, (*self.new, *found))

    @property
    def last_quarter(self) -> Quarter | None:
        """The last quarter that was decided on."""
        found = [one.quarters[-1] for one in (*self.kept, *self.new) if one.grain is Grain.QUARTER]
        return found[-1] if found else None

    def waiting(self, grain: Grain) -> tuple[str, ...]:
        """The last periods of a grain, which are to be joined with the next."""
        periods: tuple[str, ...] = ()
        for one in (*self.kept, *self.new):
            if one.grain is grain:
                periods = (*periods, *one.periods) if one.outcome is Outcome.JOINED else ()
        return periods

    def scope(self, grain: Grain, until: date) -> Scope:
        """The meetings that no snapshot has settled by a day."""
        return Scope(grain, until, settled_until(self.new, grain))

    def of_years(self, years: Collection[int]) -> list[Snapshot]:
        """The quarters that count in some years."""
        return [one for one in (*self.kept, *self.new) if one.grain is Grain.QUARTER and one.year in years]

    def year_scope(self, years: Collection[int]) -> Scope | None:
        """The meetings of some years' quarters, those not kept yet too; None where nothing of them is published."""
        quarters = self.of_years(years)
        if not any(one.outcome is Outcome.PUBLISHED for one in quarters):
            return None
        kept = tuple(one.period for one in quarters if one in self.kept)
        until = settled_until([one for one in quarters if one in self.new], Grain.QUARTER) or date.min
        earlier = [one for one in self.new if one.year < min(years)]
        return Scope(Grain.YEAR, until, settled_until(earlier, Grain.QUARTER), kept)


def settled_until(among: Sequence[Snapshot], grain: Grain) -> date | None:
    """The last day of the last period of a grain that is settled, that is published or empty."""
    settled = [one for one in among if one.grain is grain and one.outcome is not Outcome.JOINED]
    return settled[-1].last_day if settled else None
