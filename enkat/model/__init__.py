"""The words of the field as frozen dataclasses and enums; standard library only."""
