"""`python -m sentiscope` is the console script."""

from sentiscope.cli import main

if __name__ == "__main__":
    main()
