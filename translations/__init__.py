"""Translations: `LANGUAGE/LC_MESSAGES/messages.po` for the interface, `questions.po` for the questions."""
