"""Questionnaires as they were when they were answered: an answer means what its own version asked."""

import json
from dataclasses import asdict
from typing import Any

from sqlite_utils import Database

from enkat.model.survey import (
    Construct,
    Helpline,
    Index,
    Item,
    ItemKind,
    Missing,
    Point,
    Questionnaire,
    Role,
    Stage,
)
from enkat.storage.engine import rows, run


def remember(db: Database, questionnaire: Questionnaire) -> None:
    """Keep a version the first time it is seen; one that is kept stays as it is."""
    run(
        db,
        """insert into questionnaire (id, version, definition) values (:id, :version, :definition)
           on conflict (id, version) do nothing""",
        id=questionnaire.id,
        version=questionnaire.version,
        definition=_written(questionnaire),
    )


def all_versions(db: Database) -> dict[tuple[str, int], Questionnaire]:
    """Every version that has ever been on offer, by id and version."""
    found = rows(db, "select id, version, definition from questionnaire order by id, version")
    return {(row["id"], row["version"]): _read(json.loads(row["definition"])) for row in found}


def _written(questionnaire: Questionnaire) -> str:
    raw = asdict(questionnaire) | {"roles": sorted(questionnaire.roles)}
    return json.dumps(raw, ensure_ascii=False)


def _read(raw: dict[str, Any]) -> Questionnaire:
    return Questionnaire(
        **raw
        | {
            "stage": Stage(raw["stage"]),
            "roles": frozenset(Role(role) for role in raw["roles"]),
            "points": tuple(Point(**point) for point in raw["points"]),
            "offered": tuple(Missing(way) for way in raw["offered"]),
            "items": tuple(_item(item) for item in raw["items"]),
            "helplines": tuple(Helpline(**line) for line in raw["helplines"]),
        }
    )


def _item(raw: dict[str, Any]) -> Item:
    return Item(
        **raw
        | {
            "kind": ItemKind(raw["kind"]),
            "construct": Construct(raw["construct"]),
            "index": Index(raw["index"]) if raw["index"] else None,
        }
    )
