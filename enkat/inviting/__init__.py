"""First bend of the river: an assignment, a meeting, places for answers, and the links that lead to them.

What a coordinator sees here never depends on what was answered. Places are counted as planned; a personal link
holds one of its role's places, and where the room has used them all it quietly gets one more, so that nobody
who was given a link is turned away and nothing on the page shows the difference.
"""

from enkat.inviting.assignments import judge_reference, open_assignment
from enkat.inviting.linking import add_personal_links, links, replace_link, revoke_link
from enkat.inviting.places import new_id
from enkat.inviting.planning import Plan, judge_plan, set_places, start_meeting

__all__ = [
    "Plan",
    "add_personal_links",
    "judge_plan",
    "judge_reference",
    "links",
    "new_id",
    "open_assignment",
    "replace_link",
    "revoke_link",
    "set_places",
    "start_meeting",
]
