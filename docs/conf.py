"""Sphinx settings: Markdown sources, one theme."""

project = "Tocsin"
author = "the Tocsin maintainers"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "Tocsin"
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence"]
suppress_warnings = ["misc.highlighting_failure"]  # query plans leave out what is long: "SELECT … FROM"
