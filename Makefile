# `make run` starts the store, `make test` checks everything; both set up what they need first. `make help` has the rest.
# A file in .venv or node_modules says what is installed already, so that a second call starts at once.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
# Containers often have Python forget what it compiles. A run of the tests starts dozens of processes that import the same.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
UV := uv==0.13.8
COMPILE = UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	$(if $(UPGRADE),--upgrade) pyproject.toml

CHECKS := check-rules check-format check-types check-javascript

# How many tests run side by side; each process gets its own databases and ports. Tests wait a good deal, for browsers,
# time-outs and each other: three keep two processors busy. Each process begins with a third of the tests, so that not
# each needs a browser, PostgreSQL and the rest, and takes from the others when it is done.
TEST_PROCESSES ?= 3

##@ Every day

.PHONY: run
run: $(VENV)/ready-to-run ## Set up, migrate, seed and start everything; Ctrl-C stops it
	@$(BIN)/python -m tools.env_file
	@$(BIN)/flask db upgrade
	@$(BIN)/flask seed
	@$(BIN)/flask staff local
	@$(BIN)/python -m tools.start

.PHONY: test
test: ## Set up and run every test, lint among them; ARGS="-k cart" chooses some
	@$(MAKE) --jobs=3 setup-test
	@$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist worksteal $(ARGS)

.PHONY: lint
lint: $(VENV)/ready-to-test node_modules/.ready $(CHECKS) ## Check style and types of the Python and the JavaScript

.PHONY: format
format: $(VENV)/ready-to-test ## Format the Python and fix what Ruff can fix
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

##@ Now and then

.PHONY: static
static: $(VENV)/ready-to-run ## Build what browsers are sent into .cache/static; the store does it when it starts
	@$(BIN)/python -m tools.static_files

.PHONY: setup-test
setup-test: $(VENV)/ready-to-test node_modules/.ready browser-package static-for-test ## Install what the tests need: packages, compiler, browser
	@$(BIN)/python -m tools.browser

.PHONY: cards
cards: $(VENV)/ready-to-test ## Try every test card against the running store; ARGS="--group decline" or a card number chooses some, --hosted pays on Stripe's page
	@$(BIN)/python -m tools.cards $(ARGS)

.PHONY: lighthouse
lighthouse: $(VENV)/ready-to-test tools/lighthouse/node_modules/.ready ## Let Lighthouse look at the pages of the running store; ARGS="--store http://127.0.0.1:8000"
	@$(BIN)/python -m tools.lighthouse $(ARGS)

.PHONY: chaos
chaos: $(VENV)/ready-to-test ## Shop by the thousand while programs are killed, then count; ORDERS=20000 SEED=7 DATABASE=sqlite CAPTURE=on_shipping
	@$(BIN)/python -m tools.chaos $(if $(ORDERS),--orders $(ORDERS)) $(if $(SEED),--seed $(SEED)) \
		$(if $(DATABASE),--database $(DATABASE)) $(if $(CAPTURE),--capture $(CAPTURE))

.PHONY: benchmark
benchmark: $(VENV)/ready-to-test ## Measure the store beside yardsticks, in turns; ARGS="--only webhook --rounds 5 --seconds 5"
	@$(BIN)/python -m tools.benchmark $(ARGS)

.PHONY: benchmark-sandbox
benchmark-sandbox: $(VENV)/ready-to-run ## Measure the sandbox beside an endpoint that does nothing; ARGS="--requests 2000"
	@$(BIN)/python -m till_sandbox benchmark $(ARGS)

.PHONY: bench-sandbox
bench-sandbox:
	@echo "make bench-sandbox is now called make benchmark-sandbox." >&2; exit 1

.PHONY: proof
proof: $(VENV)/ready-to-test ## Try thousands of random histories; PROOF_EXAMPLES=2000 PROOF_SEED=1
	@PROOF_SEED=$${PROOF_SEED:-1} PROOF_EXAMPLES=$${PROOF_EXAMPLES:-2000} \
		$(BIN)/python -m pytest -p no:cacheprovider tests/proof/test_histories.py

.PHONY: mutation
mutation: $(VENV)/ready-to-test ## List the small changes that no test notices; MODULE=store/services/stock.py or SAMPLE=300 SEED=1
	@$(BIN)/python -m tools.mutation $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED)) $(MODULE)

.PHONY: planted
planted: $(VENV)/ready-to-test ## Plant mistakes that cost money, one by one, and say which proof notices each
	@$(BIN)/python -m tools.planted

.PHONY: states
states: $(VENV)/ready-to-run ## Draw docs/states.md from the tables of states
	@$(BIN)/python -m tools.draw_states

.PHONY: lock
lock: $(VENV)/ready-to-test ## Pin requirements*.txt to what pyproject.toml asks for; UPGRADE=1 takes the newest
	@$(COMPILE) --output-file requirements.txt
	@$(COMPILE) --group dev --constraint requirements.txt --output-file requirements-dev.txt

.PHONY: clean
clean: ## Remove what was installed or built; settings (.env) and data (instance/) stay
	rm -rf $(VENV) node_modules tools/lighthouse/node_modules .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis mutants test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help
help: ## Show this
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

# What `make lint` is made of. A test runs each of them, so they set up nothing.

.PHONY: $(CHECKS)
check-rules:
	@$(BIN)/ruff check --quiet .

check-format:
	@$(BIN)/ruff format --check --quiet . || { echo "Not formatted (make format does it):"; $(BIN)/ruff format --check .; }

check-types:
	@$(BIN)/mypy --no-error-summary

check-javascript:
	@node_modules/.bin/tsc --project tsconfig.json
	@node_modules/.bin/tsc --project sandbox/tests/contract/node/tsconfig.json

# Set-up, each step once until what it depends on changes.

$(BIN)/python:
	@tools/make_venv.sh $(VENV)

$(VENV)/ready-to-run: requirements.txt sandbox/pyproject.toml tools/install.sh | $(BIN)/python
	@echo "Installing what the store runs on."
	@tools/install.sh $(VENV) $(UV) requirements.txt
	@touch $@

$(VENV)/ready-to-test: requirements-dev.txt sandbox/pyproject.toml tools/install.sh | $(BIN)/python
	@echo "Installing what the tests need."
	@tools/install.sh $(VENV) $(UV) requirements-dev.txt
	@touch $@ $(VENV)/ready-to-run

.PHONY: browser-package
browser-package: | $(BIN)/python # beside the packages: it takes as long as they do
	@$(BIN)/python -m tools.browser --package

.PHONY: static-for-test
static-for-test: $(VENV)/ready-to-test # once, where each process of the tests would build them
	@$(BIN)/python -m tools.static_files

tools/lighthouse/node_modules/.ready: tools/lighthouse/package.json tools/lighthouse/package-lock.json
	@echo "Installing Lighthouse."
	@cd tools/lighthouse && npm ci --silent
	@touch $@

node_modules/.ready: package.json package-lock.json
	@command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || \
		{ echo "The tests of the JavaScript need Node.js 20 or newer, and npm: https://nodejs.org" >&2; exit 1; }
	@echo "Installing what the tests of the JavaScript need."
	@npm ci --silent
	@touch $@
