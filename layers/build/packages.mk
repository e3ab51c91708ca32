# How `sam build` makes the layers and the functions' packages, on any host: wheels for Python 3.13
# on Amazon Linux 2023 are downloaded, not built, so neither the host's Python nor its processor
# matters. The folders named like an architecture hold the Makefile that the template chooses; it
# sets MACHINE. SAM copies a layer's or function's folder, runs `make build-<logical id>` there and
# takes what it finds in ARTIFACTS_DIR.

PYTHON ?= python3
# The wheels are for the Python that template.yaml names, on Amazon Linux 2023. The environment may name
# another Python and other platforms, for functions that do not run on Lambda.
TARGET_PYTHON ?= 3.13
TARGET_PLATFORMS ?= manylinux_2_28_$(MACHINE) manylinux2014_$(MACHINE)
PIP_INSTALL = $(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
  --no-compile --no-deps --require-hashes --only-binary=:all: --implementation cp --python-version $(TARGET_PYTHON) \
  $(addprefix --platform ,$(TARGET_PLATFORMS))
HERE := $(dir $(lastword $(MAKEFILE_LIST)))
# The requirements of a package without those of the core layer, which every function has. Each record of
# a lock begins at the start of a line, with the name and the version.
BESIDE_CORE = awk 'NR == FNR { if (/^[^ \#]/) core[$$1]; next } /^[^ \#]/ { own = !($$1 in core) } own' \
  "$(HERE)../core/requirements.txt" requirements.txt > "$(ARTIFACTS_DIR)/requirements.own"

.PHONY: build-CoreLayer build-YahooLayer build-Api

build-CoreLayer:
	@$(PIP_INSTALL) -r requirements.txt --target "$(ARTIFACTS_DIR)/python"
	@cp -R marketdata "$(ARTIFACTS_DIR)/python/"
	@$(call slim,$(ARTIFACTS_DIR)/python)

build-YahooLayer:
	@$(BESIDE_CORE)
	@$(PIP_INSTALL) -r "$(ARTIFACTS_DIR)/requirements.own" --target "$(ARTIFACTS_DIR)/python"
	@rm "$(ARTIFACTS_DIR)/requirements.own"
	@$(call slim,$(ARTIFACTS_DIR)/python)

build-Api:
	@$(BESIDE_CORE)
	@$(PIP_INSTALL) -r "$(ARTIFACTS_DIR)/requirements.own" --target "$(ARTIFACTS_DIR)"
	@rm "$(ARTIFACTS_DIR)/requirements.own"
	@cp app.py "$(ARTIFACTS_DIR)/"
	@$(call slim,$(ARTIFACTS_DIR))

# Every other function is one module; its packages are in the layers.
build-%:
	@cp app.py "$(ARTIFACTS_DIR)/"

# Tests and scripts do not run on Lambda, and bytecode of the host's Python is of no use there. Bytecode
# for Lambda's Python is added if it can be made. Every *.dist-info stays: some packages read their own
# version.
BYTECODE := $(HERE)bytecode.sh
# Modules that no function loads, as a regular expression.
UNCOMPILED := aws_lambda_powertools/(event_handler|utilities/(?!__init__|jmespath_utils|parameters))
define slim
rm -rf "$(1)/bin"; \
  find "$(1)" -type d \( -name tests -o -name __pycache__ \) -prune -exec rm -rf {} +; \
  find "$(1)" -type f -name '*.py[co]' -delete; \
  sh "$(BYTECODE)" "$(1)" "$(PYTHON)" "$(TARGET_PYTHON)" "$(UNCOMPILED)"; \
  echo "size    $@ ($(MACHINE)): $$(( $$(find "$(1)" -type f -exec cat {} + | wc -c) / 1048576 )) MB unzipped"
endef
