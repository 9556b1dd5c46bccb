"""The only place with SQL: dataclasses in and out, `None` for absent, and no Flask."""
