# How `sam build` makes the packages of the layers and functions. Wheels for Python 3.13 on Amazon Linux
# 2023 are downloaded and not built, so any Python and any processor can build the packages. The folders
# with the names of architectures contain the Makefile that the template chooses. That Makefile sets
# MACHINE. SAM copies the folder of a layer or function, runs `make build-<logical id>` in the copy, and
# packs the files in ARTIFACTS_DIR.

PYTHON ?= python3
# The wheels are for the Python of template.yaml, on Amazon Linux 2023. For functions that do not run on
# Lambda, the environment may set another Python and other platforms.
TARGET_PYTHON ?= 3.13
TARGET_PLATFORMS ?= manylinux_2_28_$(MACHINE) manylinux2014_$(MACHINE)
PIP_INSTALL = $(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
  --no-compile --no-deps --require-hashes --only-binary=:all: --implementation cp --python-version $(TARGET_PYTHON) \
  $(addprefix --platform ,$(TARGET_PLATFORMS))
HERE := $(dir $(lastword $(MAKEFILE_LIST)))
# The requirements of a package without the requirements of the core layer, which every function has. Each
# record of a lock begins at the start of a line, with the name and the version.
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

# Every other function is one module. The packages that it needs are in the layers.
build-%:
	@cp app.py "$(ARTIFACTS_DIR)/"

# Remove tests, scripts and bytecode of the host's Python, which Lambda does not use. Add bytecode for
# Lambda's Python if it can be made. Every *.dist-info stays, because some packages read their version.
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
