"""`python -m cronicorn` is the `cronicorn` command."""

from cronicorn.cli.main import main

if __name__ == "__main__":
    main()
