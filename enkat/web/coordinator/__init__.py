"""The coordinator's pages: make a meeting, hand out its links, see how many have answered, close and count."""

from enkat.web.coordinator import handouts, links, meetings, sending
from enkat.web.coordinator.base import pages

__all__ = ["handouts", "links", "meetings", "pages", "sending"]
