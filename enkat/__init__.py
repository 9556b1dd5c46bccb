"""Feedback after network meetings: links in the room, sealed answers, honest charts."""

__version__ = "0.1.0"
