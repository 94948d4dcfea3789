# Everything a developer does here. `make` alone lists it.

VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
CHECKOV := $(VENV)/checkov/bin/checkov
SCHEMATHESIS := $(VENV)/schemathesis/bin/schemathesis
PIP := $(PY) -m pip install --disable-pip-version-check --no-input -qq
UV := uv==0.13.9

PYTHONS = $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python3.14 /usr/bin/python3)
USABLE := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))

# The tests start many processes; each would compile the sources again without its byte code.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run tour test check check-terraform format coverage fuzz api-fuzz properties adversary simulate requirements \
	archive bench bench-full bench-plots bench-plots-setup cloud-race coldstart cost \
	events-breaks events-latency events-soak events-streams orgs deploy clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## Create .venv with everything that the tests and the tour need

# A failed set-up leaves no $(READY) behind, so the next one starts again.
$(READY): requirements.txt pyproject.toml
	@for candidate in $(PYTHONS); do \
		"$$candidate" -c '$(USABLE)' >/dev/null 2>&1 && python=$$candidate && break; \
	done; \
	if [ -z "$$python" ]; then \
		echo "found no Python from 3.11 on with its venv module among: $(PYTHONS)"; \
		echo "install one (Debian: apt install python3-venv, macOS: brew install python@3.13)"; \
		echo "or name yours: make setup PYTHON=/path/to/python3.13"; \
		exit 1; \
	fi >&2; \
	echo "setting up $(VENV) with $$("$$python" --version), about a minute" >&2; \
	"$$python" -m venv --clear $(VENV)
	@$(PIP) --no-deps --require-hashes --only-binary atheris -r requirements.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@$(PY) -m pip check --disable-pip-version-check >/dev/null || $(PY) -m pip check
	@touch $@

run: setup ## Play the tour against a local server and leave the server running
	@$(PY) tests/tour/tour.py --keep-serving

tour: setup ## Play the tour and exit
	@$(PY) tests/tour/tour.py

# Three at once on two cores: tests wait for processes and emulators a quarter of their time.
test: setup ## Run all tests (ARGS="-k name" for some)
	@$(PY) -m pytest -n 3 $(ARGS)

check: setup ## Check format, lint, types, import contracts and pinned requirements
	$(PY) -m ruff format --check --quiet
	$(PY) -m ruff check --quiet
	$(PY) -m mypy --no-error-summary
	$(VENV)/bin/lint-imports --no-logo
	$(PY) -m pytest -q tests/unit/test_requirements.py

# Checkov pins what others need newer, so it lives apart. uv installs it in seconds.
$(CHECKOV): infra/terraform/checkov-requirements.txt | setup
	@$(PIP) $(UV)
	@$(VENV)/bin/uv venv --quiet --clear --python $(PY) $(VENV)/checkov
	@$(VENV)/bin/uv pip install --quiet --python $(VENV)/checkov --require-hashes -r $<
	@touch $@

check-terraform: $(CHECKOV) ## Check infra/terraform against Checkov's rules
	$(PY) -m pytest -q tests/deploy/test_checkov.py

format: setup ## Format the sources and mend what the linter can
	$(PY) -m ruff format
	$(PY) -m ruff check --fix

coverage: setup ## Run all tests and report branch coverage
	@$(PY) -m pytest -n 2 --cov --cov-report=term --cov-report=html $(ARGS)

# What reached new branches is kept in build/fuzz, what makes a reader fail in tests/fuzz/found.
fuzz: setup ## Fuzz the readers (MINUTES=10), then the property tests on many more examples (EXAMPLES=5000)
	@$(PY) tests/fuzz/harness.py build/fuzz tests/fuzz/found -timeout=60 -print_final_stats=1 \
		-max_total_time=$$(( $(or $(MINUTES),10) * 60 ))
	@SOPOR_EXAMPLES=$(or $(EXAMPLES),5000) $(PY) -m pytest -n 2 tests/properties $(ARGS)

# Schemathesis brings what nothing else here needs, so it lives apart, as Checkov does.
$(SCHEMATHESIS): tests/fuzz/requirements.txt | setup
	@$(PIP) $(UV)
	@$(VENV)/bin/uv venv --quiet --clear --python $(PY) $(VENV)/schemathesis
	@$(VENV)/bin/uv pip install --quiet --python $(VENV)/schemathesis --require-hashes -r $<
	@touch $@

api-fuzz: $(SCHEMATHESIS) ## Try a server with what Schemathesis makes of the OpenAPI document (MINUTES=5)
	@$(PY) tests/fuzz/api.py $(SCHEMATHESIS) $$(( $(or $(MINUTES),5) * 60 )) $(ARGS)

LAWS = $(addprefix tests/properties/test_,field_merge.py spec_merge.py order_and_text_merge.py \
	project_merge.py convergence.py paths_and_diff.py graph.py)

properties: setup ## Try the laws of the merge on 200,000 examples and more (EXAMPLES=10000 for each law)
	@SOPOR_EXAMPLES=$(or $(EXAMPLES),10000) $(PY) -m pytest -n 2 $(LAWS) $(ARGS)

adversary: setup ## Have servers lie in every story, and in 100,000 mutations (MUTATIONS=100000)
	@$(PY) -m pytest -n 2 tests/adversary --ignore=tests/adversary/test_mutations.py $(ARGS)
	@SOPOR_MUTATIONS=$(or $(MUTATIONS),100000) $(PY) -m pytest -q -s tests/adversary/test_mutations.py

simulate: setup ## Let three devices do random commands behind a bad network (SEEDS=2000 of 25 steps)
	@$(PY) -m tests.simulate --seeds $(or $(SEEDS),2000) $(ARGS)

# One resolution for every platform and for each Python from 3.11 on. Versions stay as they are
# while pyproject.toml allows them; UPGRADE=1 takes the newest.
# Extras stay in the files: pip checks no hash of `coverage[toml]` against a line that says `coverage`.
COMPILE = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-strip-extras \
	--custom-compile-command "make requirements" $(if $(UPGRADE),--upgrade)

# Cloud Build lets pip resolve. For who needs `google-auth`, a line that says `google-auth[requests]` does
# not count: pip would take a newer release, that has no hash. So each such name has a plain line too.
PLAIN_LINES = import pathlib, re; \
	file = pathlib.Path("functions/requirements.txt"); \
	entry = r"(?m)^([a-z0-9-]+)\[[^]]*\](==.*\n(?: .*\n)*)"; \
	file.write_text(re.sub(entry, r"\1\2\g<0>", file.read_text()))

requirements: setup ## Pin, with hashes, what pyproject.toml names, and Checkov
	@$(PIP) $(UV)
	@$(COMPILE) pyproject.toml --extra server --extra google --extra keychain --extra watch --extra dev \
		--output-file requirements.txt
	@$(PY) -c 'import tomllib; \
		extras = tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]; \
		print(*extras["server"], *extras["google"], sep="\n")' \
		| $(COMPILE) - --constraint requirements.txt --output-file functions/requirements.txt
	@$(PY) -c 'import tomllib; \
		print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["bench"], sep="\n")' \
		| $(COMPILE) - --constraint requirements.txt --output-file tests/bench/requirements.txt
	@$(PY) -c '$(PLAIN_LINES)'
	@echo checkov | $(COMPILE) - --output-file infra/terraform/checkov-requirements.txt
	@echo schemathesis | $(COMPILE) - --output-file tests/fuzz/requirements.txt

archive: setup ## Build the archive that Cloud Functions is given
	@$(PY) infra/terraform/scripts/build_source.py

# The folder that calls the module; copy one of the examples for your own.
STACK = infra/terraform/examples/minimal

deploy: archive ## Deploy to Google Cloud (PROJECT=id, STACK=folder)
	terraform -chdir=$(STACK) init -input=false
	terraform -chdir=$(STACK) apply $(if $(PROJECT),-var project_id=$(PROJECT)) $(ARGS)

bench: setup ## Compare with git and with encrypted peers at 1,000 documents, under 5 minutes
	@$(PY) -m tests.bench $(ARGS)

# Hours.
bench-full: bench-plots-setup ## Compare at up to 50,000 documents and 10,000 commits, and see what grows
	@$(PY) -m tests.bench --documents 10000 --slow-every 1 --peers all
	@$(PY) -m tests.bench --documents 50000 --commits 20 --rounds 7 --big-rounds 1 --peers all
	@$(PY) -m tests.bench.growth --documents 100,1000,10000,50000 --commits 10 --peers sopor,git
	@$(PY) -m tests.bench.growth --documents 1000 --commits 10,100,1000,10000 --peers sopor,git
	@$(PY) -m tests.bench.memory --documents 50000
	@$(PY) -m tests.bench.server_cost
	@$(PY) -m tests.bench.plot

bench-plots: bench-plots-setup ## Draw what `make bench-full` measured
	@$(PY) -m tests.bench.plot $(ARGS)

bench-plots-setup: setup
	@$(PIP) --no-deps --require-hashes -r tests/bench/requirements.txt

coldstart: setup ## Print the time from a function's start to its first answer, and its imports
	@$(PY) tests/bench/coldstart.py $(ARGS)

cost: setup ## Print what pushes and pulls cost on Google Cloud, in dollars
	@$(PY) tests/bench/cost.py $(ARGS)

events-latency: setup ## Print the time from a push to the changed file of another device (ARGS="--pushes 200")
	@$(PY) tests/bench/events.py $(ARGS)

events-streams: setup ## Print what 1,000 open streams cost a process, and how soon all hear of a push
	@$(PY) tests/bench/streams.py $(ARGS)

events-breaks: setup ## Break streams of events at random, and let clients miss none (BREAKS=1000)
	@SOPOR_BREAKS=$(or $(BREAKS),1000) $(PY) -m pytest -q -s tests/integration/test_event_breaks.py $(ARGS)

events-soak: setup ## Edit on two devices that watch, while the server comes and goes (MINUTES=10)
	@SOPOR_SOAK_MINUTES=$(or $(MINUTES),10) $(PY) -m pytest -q -s tests/integration/test_watch_soak.py $(ARGS)

orgs: setup ## Print what removing one of 100 members, joining, and reading a long log take
	@$(PY) tests/bench/orgs.py $(ARGS)

cloud-race: setup ## Let 8 clients push through two functions on the emulators (PUSHES=1000)
	@SOPOR_RACE_PUSHES=$(or $(PUSHES),1000) $(PY) -m pytest tests/cloud/test_race.py $(ARGS)

clean: ## Remove everything that the other targets made
	rm -rf $(VENV) build dist infra/terraform/build htmlcov *.egg-info .coverage .coverage.* .hypothesis \
		.import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find client functions infra shared tests -name __pycache__ -type d -prune -exec rm -rf {} +
