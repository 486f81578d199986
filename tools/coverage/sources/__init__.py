"""One module per source of samples, each with `judge(samples: Path) -> list[Row]`."""
