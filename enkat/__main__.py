"""`python -m enkat` is the program `enkat`."""

from enkat.cli import main

if __name__ == "__main__":
    main()
