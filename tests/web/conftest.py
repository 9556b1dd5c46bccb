"""The pages of an installation that can send links by itself, though nothing is sent here."""

import pytest

from enkat.settings import Settings
from tests.conftest import with_services


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings with a service for SMS and one for e-mail."""
    return with_services(settings)
