"""What axe finds on a page against WCAG 2.2, levels A and AA."""

import json

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

#: Every rule of the two levels, that of target sizes too, which axe leaves out by itself.
_OPTIONS = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations"],
}


def breaches(page: Page, name: str) -> str:
    """What is wrong with a page, a line each; empty where nothing is, however little it may matter."""
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate(f"axe.run(document, {json.dumps(_OPTIONS)}).then(found => found.violations)")
    return "\n".join(
        f"{name}: {one['id']}: {one['help']}: {node['html'][:160]}" for one in found for node in one["nodes"]
    )
