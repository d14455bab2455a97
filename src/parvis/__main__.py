"""`python -m parvis` and the console command `parvis` are the same thing."""


def main() -> None:
    from parvis.site.cli import cli

    cli()


if __name__ == "__main__":
    main()
