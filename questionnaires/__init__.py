"""The questionnaires, one TOML file each; `enkat.catalogue` reads and judges them."""
