"""The command line of `bench.pages`."""

from bench.pages.measuring import main

if __name__ == "__main__":
    main()
