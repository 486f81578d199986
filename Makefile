# Tocsin: every target works in .venv, which the first one makes.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PYTEST := $(BIN)/pytest -n 2 --dist loadfile
STAMP := .venv/.stamp

.PHONY: demo test check system bench soak docs assets serve clean

demo: $(STAMP)-server assets
	$(BIN)/tocsin demo

test: $(STAMP)-dev assets
	$(BIN)/ruff check src tests tools bench
	$(BIN)/ruff format --check src tests tools bench
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST)
	$(BIN)/python tools/with_postgres.py $(PYTEST) -m database

# The fast loop: SQLite, no browser, no campaigns, nothing that takes long (tests/slow.txt).
check: $(STAMP)-dev
	$(BIN)/ruff check src tests tools bench
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST) -q -m "not browser and not soak and not slow"

# Debian packages that tests and benchmarks use. Never run unasked.
system:
	apt-get update
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium openssh-server fail2ban sshguard \
		unbound bind9 bind9-dnsutils knot knot-dnsutils knot-resolver lua-cqueues pdns-recursor nftables \
		iproute2 nfdump systemd-journal-remote request-tracker5 rt5-db-sqlite rt5-standalone dovecot-imapd wrk \
		rsyslog rsyslog-openssl postfix fstrm-bin

bench: $(STAMP)-dev assets
	$(BIN)/python -m bench

# Each reader is fuzzed for ten minutes, each codec for as long: TOCSIN_SOAK_SECONDS says otherwise.
soak: $(STAMP)-dev assets
	TOCSIN_SOAK=1 $(PYTEST) -m soak
	$(BIN)/python -m tools.fuzz $${TOCSIN_SOAK_SECONDS:-600}
	TOCSIN_SOAK=1 $(BIN)/python tools/with_postgres.py $(PYTEST) -m "soak and database"

docs: $(STAMP)-dev
	$(BIN)/sphinx-build -W -q docs docs/_build

serve: $(STAMP)-server assets
	$(BIN)/tocsin serve

assets: $(STAMP)-assets

$(STAMP)-assets: tools/assets.py package-lock.json $(wildcard src/tocsin/site/styles/*.scss) | $(STAMP)-server
	$(BIN)/python tools/assets.py
	touch $@

$(STAMP)-server: requirements/server.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/server.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q src
	touch $@

$(STAMP)-dev: requirements/dev.txt $(STAMP)-server
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	touch $@

clean:
	rm -rf .venv build dist docs/_build node_modules src/tocsin/site/static/vendor
