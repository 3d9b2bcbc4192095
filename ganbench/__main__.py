"""`python -m ganbench`: the program."""

from ganbench.cli import main

if __name__ == "__main__":
    main()
