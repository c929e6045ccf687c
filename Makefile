.DEFAULT_GOAL := help
# Any from 3.11 on, each with packages of its own: PYTHON=python3.13 make test
PYTHON ?= python3
VENV := .venv$(if $(filter-out python3,$(PYTHON)),-$(notdir $(PYTHON)))
RUN := $(VENV)/bin/python
INSTALL_PACKAGES := localservices/install_packages.sh
INSTALLED := $(VENV)/installed
TYPESCRIPT := .local/typescript/node_modules/.package-lock.json
TYPESCRIPT_FILES := $(addprefix tests/openapi/typescript/,package-lock.json package.json .npmrc)
TESTS ?= tests
# Some shells and images have it set: then each of a hundred processes compiles all code anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run
run: libcurl ## start everything: MongoDB, RabbitMQ, web, relay, workers, archiver, scheduler
	@exec $(RUN) -m localservices.run

.PHONY: services
services: libcurl ## start MongoDB and RabbitMQ only, to start the other processes by hand
	@exec $(RUN) -m localservices.run services

.PHONY: test
test: libcurl ## run the tests against a MongoDB and a RabbitMQ of their own
	@command -v chromium >/dev/null || $(INSTALL_PACKAGES) chromium
	@command -v nginx >/dev/null || test -x /usr/sbin/nginx || $(INSTALL_PACKAGES) nginx-light
	@# Where no npm registry is reached, one test fails, and the others run.
	@command -v npm >/dev/null || $(INSTALL_PACKAGES) npm || true
	@$(MAKE) --no-print-directory $(TYPESCRIPT) \
		|| echo "What makes a TypeScript client is not installed: its test will fail." >&2
	$(RUN) -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder \
		--max-worker-restart 0 $(TESTS)

.PHONY: test-debian13
test-debian13: ## the same on Debian 13, as root; TESTS=tests/messaging for a part
	@localservices/in_debian.sh trixie make test TESTS="$(TESTS)"

.PHONY: test-debian-testing
test-debian-testing: ## the same on what becomes the next Debian
	@localservices/in_debian.sh testing make test TESTS="$(TESTS)"

.PHONY: image-test
image-test: $(INSTALLED) ## build the image, start all of compose.yaml with podman, as root, and kill each container
	@command -v podman >/dev/null || $(INSTALL_PACKAGES) catatonit podman runc
	$(RUN) -m pytest tests/deploy/image.py

.PHONY: test-fast
test-fast: $(INSTALLED) ## run the tests that need nothing but Python, in seconds
	$(RUN) -m pytest -m in_memory --hypothesis-profile fast --numprocesses 2 --dist load tests

.PHONY: check
check: $(INSTALLED) ## lint, check formatting, types and imports, build the docs, then run the tests
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m mypy .
	$(RUN) -m tests.import_contract
	$(MAKE) docs
	$(MAKE) test

.PHONY: bench
bench: libcurl ## measure the pipeline beside its peers; QUICK=1 takes a few minutes
	$(RUN) -m benchmarks $(if $(QUICK),--quick)

.PHONY: drills
drills: libcurl ## break everything while orders flow, 20 times each, and check every order; takes hours
	@command -v nginx >/dev/null || test -x /usr/sbin/nginx || $(INSTALL_PACKAGES) nginx-light
	$(RUN) -m drills --all --runs 20 --record

.PHONY: docs
docs: $(INSTALLED) ## build the documentation's site in .local/docs/site, and check its links
	@rm -rf .local/docs && mkdir -p .local/docs/pages
	@git ls-files -z '*.md' LICENSE Procfile deploy docs examples 'compose*.yaml' Dockerfile \
		| xargs -0 cp --parents --target-directory .local/docs/pages
	@mv .local/docs/pages/docs/zensical.toml .local/docs
	@DJANGO_DEBUG=true $(RUN) manage.py reference .local/docs/pages/docs/reference
	$(RUN) -m zensical build --strict --clean --config-file .local/docs/zensical.toml

.PHONY: pictures
pictures: $(INSTALLED) ## take the documentation's pictures anew, from a running `make run`
	@command -v chromium >/dev/null || $(INSTALL_PACKAGES) chromium
	$(RUN) -m localservices.pictures

.PHONY: requirements
requirements: $(INSTALLED) ## pin the newest versions that requirements*.in allow
	$(RUN) -m piptools compile --quiet --upgrade requirements.in
	$(RUN) -m piptools compile --quiet --upgrade requirements-dev.in

.PHONY: sbom
sbom: $(INSTALLED) ## list what production installs as a CycloneDX document, sbom.json
	$(RUN) -m cyclonedx_py requirements --pyproject pyproject.toml --output-reproducible --no-validate \
		--of JSON --output-file sbom.json requirements.txt

.PHONY: help
help: ## list these commands
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 28

$(INSTALLED): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; this is $$($(PYTHON) --version)." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || $(INSTALL_PACKAGES) python3-venv
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@echo "Installing the Python packages …"
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(TYPESCRIPT): $(TYPESCRIPT_FILES)
	@echo "Installing what makes a TypeScript client …"
	@mkdir -p .local/typescript
	@cp $^ .local/typescript
	@cd .local/typescript && npm ci --no-progress --loglevel error >/dev/null
	@touch $@

.PHONY: libcurl
libcurl: $(INSTALLED) # mongod is linked against it
	@test "$$(uname)" != Linux || $(RUN) -c 'import ctypes; ctypes.CDLL("libcurl.so.4")' 2>/dev/null \
		|| $(INSTALL_PACKAGES) libcurl4
