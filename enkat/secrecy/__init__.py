"""Links and typed keys, sealed ballots, passwords, and the keys that lie outside the database."""
