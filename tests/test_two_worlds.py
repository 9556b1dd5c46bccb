"""Two worlds that differ only in which place was answered: whatever a coordinator does and however the services behave,
all that pages show of links, reminders and services is the same in both."""

import os
import random
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from enkat import inviting, sending, staffing
from enkat.house import House, open_house
from enkat.inviting import outbox, reminding
from enkat.inviting.contacting import Address
from enkat.model.errors import EnkatError
from enkat.model.meeting import Channel, Meeting, OpenedLink
from enkat.model.message import Letter, MessageState, Purpose, Reason, SendingFailed
from enkat.model.survey import Role
from enkat.secrecy import tokens
from enkat.settings import Settings
from enkat.storage import contacts, invitations, meetings, messages
from tests.conftest import TODAY, Town
from tests.posting import BASE, Clock, PostOffice

IS_FULL = os.environ.get("ENKAT_ATTACK") == "full"
RUNS = 60 if IS_FULL else 3

Act = tuple[object, ...]

#: How services behave; what an attempt at a message comes to, and what asking does.
ALWAYS = {Reason.UNREACHABLE}
SERVICES = ["works", *(reason for reason in Reason if reason is not Reason.UNDELIVERED)]


@dataclass
class Service:
    """A service that behaves as it is told. `mail` and `sms` of a world are two of them."""

    signs_in_to_probe: bool
    behaves: str = "works"
    taken: list[str] = field(default_factory=list)

    def send(self, letter: Letter) -> None:
        if self.behaves != "works":
            raise SendingFailed(Reason(self.behaves), "as it was told")
        self.taken.append(letter.id)

    def probe(self) -> None:
        if self.behaves in ALWAYS or (self.behaves == Reason.CREDENTIALS and self.signs_in_to_probe):
            raise SendingFailed(Reason(self.behaves), "as it was told")


class World:
    """A meeting with some links, in which one place is answered: that of a link, or one in the room."""

    def __init__(self, house: House, seed: int, answered: str, signs_in_to_probe: bool) -> None:
        self.seed, self.turns, self.chance, self.answered = seed, 0, random.Random(seed), answered
        db = house.connect()
        db.conn.execute("pragma synchronous = off")
        with self.own_chance():
            unit = staffing.add_unit(db, "Mitthem")
            self.town = Town(house, db, unit, unit, unit)
            self.meeting: Meeting = self.town.meeting()
        self.services = {channel: Service(signs_in_to_probe) for channel in Channel}
        self.office = PostOffice(self.town, Clock(), self.services)
        self.links: dict[str, OpenedLink] = {}

    def own_chance(self) -> "_Drawing":
        """All that is drawn by chance is drawn alike in both worlds."""
        return _Drawing(self.chance)

    def do(self, act: Act) -> str:
        """What somebody does; `refused` and why, where it is."""
        verb, *rest = act
        with self.own_chance():
            try:
                getattr(self, f"_{verb}")(*rest)
            except EnkatError as error:
                return f"refused: {getattr(error, 'reason', type(error).__name__)}"
        return "done"

    def _make(self, name: str) -> None:
        house = self.town.house
        made = inviting.add_personal_links(self.town.db, house.keys, house.catalogue, self.meeting.id, Role.FAMILY)
        self.links[name] = made[0]

    def _answer(self) -> None:
        rooms = self.town.rooms(self.meeting)
        self.office.answer(self.links.get(self.answered, rooms[Role.PROFESSIONAL]))

    def _send(self, name: str, channel: Channel, address: str) -> None:
        to = Address(self.links[name].id, channel, address)
        outbox.send_link(self.town.db, self.town.house.keys, self.office.desk, self.meeting.id, to)

    def _again(self, name: str) -> None:
        link = self.links[name].id
        outbox.send_again(self.town.db, self.town.house.keys, self.office.desk, self.meeting.id, link)

    def _replace(self, name: str) -> None:
        keys = self.town.house.keys
        self.links[name] = inviting.replace_link(self.town.db, keys, self.meeting.id, self.links[name].id)

    def _revoke(self, name: str) -> None:
        inviting.revoke_link(self.town.db, self.meeting.id, self.links[name].id)

    def _report(self, name: str, state: MessageState) -> None:
        """What a service says became of a link that it took."""
        for one in messages.of_meeting(self.town.db, self.meeting.id):
            if one.link == self.links[name].id and one.purpose is Purpose.LINK and one.state == MessageState.SENT:
                keys = self.town.house.keys
                mark = tokens.report_mark(keys.instance, one.id)
                sending.note_report(self.town.db, keys, one.id, mark, state, self.office.clock.now, 3)

    def _turn(self, on: bool) -> None:
        reminding.turn(self.town.db, self.meeting.id, on)

    def _behave(self, channel: Channel, how: str) -> None:
        self.services[channel].behaves = how

    def _wait(self, minutes: float) -> None:
        self.office.clock.on(minutes=minutes)
        sending.probe(self.town.db, self.office.post())
        self.office.round()
        self.turns += 1  # how many reminders there were decided how often chance was asked
        self.chance.seed(f"{self.seed} {self.turns}")

    def shown(self) -> dict[str, object]:
        """All that the coordinator's and the administrator's pages are made of."""
        db, meeting = self.town.db, self.meeting
        sent = {one.contact: one for one in messages.of_meeting(db, meeting.id) if one.purpose is Purpose.LINK}
        names = {link.id: name for name, link in self.links.items()}
        live = invitations.live_links(db, meeting.id)
        places = {link.invitation: names.get(link.id, "") for link in live if link.invitation}
        ways = []
        for contact in contacts.of_meeting(db, meeting.id):
            message = sent.get(contact.id)
            state = (
                (message.state, message.reason if message.state in ("failed", "waiting") else None) if message else None
            )
            ways.append((places.get(contact.invitation), contact.channel, contact.language, state))
        return {
            "ways": sorted(map(str, ways)),
            "services": messages.health(db),
            "reminder": reminding.plan(db, meeting, self.office.clock.day, 3),
            "ring": invitations.count_answered(db, meeting.id),
            "invited": meetings.invited(db, meeting.id),
            "links": sorted(places.values()),
        }


class _Drawing:
    """While it lasts, ids and keys come from one world's own chance."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._kept: Callable[..., str] = secrets.token_hex

    def __enter__(self) -> None:
        self._kept = secrets.token_hex
        secrets.token_hex = lambda size=16: f"{self._chance.getrandbits(8 * (size or 16)):0{2 * (size or 16)}x}"

    def __exit__(self, *_error: object) -> None:
        secrets.token_hex = self._kept


def life(dice: random.Random, services: list[str]) -> Iterator[Act]:
    """What happens at a meeting: links are made and sent, somebody answers, services break and come back."""
    yield from (("make", name) for name in "ABC")
    for name in dice.sample("ABC", dice.choice([1, 2, 3])):
        yield ("send", name, Channel.SMS, f"+4670174060{'ABC'.index(name)}")
    answers = dice.randrange(20)
    for turn in range(24):
        if turn == answers:
            yield ("answer",)
        name, channel = dice.choice("ABC"), dice.choice(list(Channel))
        address = f"+467017406{dice.randrange(10, 60)}" if channel is Channel.SMS else f"{dice.random()}@example.se"
        acts: list[tuple[float, Act]] = [
            (0.16, ("again", name)),
            (0.25, ("send", name, channel, address)),
            (0.29, ("replace", name)),
            (0.32, ("revoke", name)),
            (0.36, ("turn", dice.random() < 0.7)),
            (0.40, ("report", name, dice.choice([MessageState.DELIVERED, MessageState.FAILED]))),
            (0.52, ("behave", channel, dice.choice(services))),
            (1.0, ("wait", dice.choice([0.05, 0.5, 1, 5, 11, 60, 600, 1440, 4320]))),
        ]
        chance = dice.random()
        yield next(act for limit, act in acts if chance < limit)


@pytest.mark.parametrize("signs_in", [True, False], ids=["asking signs in", "asking does not"])
@pytest.mark.parametrize("breaks", [*SERVICES[1:], "all of it"])
def test_who_has_answered_can_be_read_off_nothing_that_is_sent_or_is_not(
    tmp_path: Path, breaks: str, signs_in: bool, figure: Callable[[str], None]
) -> None:
    services = SERVICES if breaks == "all of it" else ["works", breaks]
    for seed in range(RUNS):
        dice = random.Random(f"{breaks} {signs_in} {seed}")
        pair = dice.choice([("A", "B"), ("A", "the room"), ("C", "the room")])
        acts = list(life(dice, services))
        worlds = []
        for answered in pair:
            settings = Settings(tmp_path / f"{seed} {answered}", base_url=BASE, fixed_today=TODAY)
            worlds.append(World(open_house(settings), seed, answered, signs_in))
        for number, act in enumerate(acts):
            came_to = [world.do(act) for world in worlds]
            if act == ("answer",) and came_to != ["done", "done"]:
                break  # a link was taken back before: nobody can answer there
            assert came_to[0] == came_to[1], acts[: number + 1]
            assert worlds[0].shown() == worlds[1].shown(), (pair, acts[: number + 1])
        for world in worlds:
            world.town.db.close()
    figure(f"two worlds, services that may be {breaks}: {RUNS} lives of 31 acts, nothing shown tells them apart")
