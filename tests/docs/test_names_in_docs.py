"""The files, anchors, settings, make targets and AWS commands named in README and docs exist."""

from __future__ import annotations

import re

import botocore.session
import pytest
from botocore import xform_name

from local.service.environment import PROJECT
from marketdata.setting_names import OTHER_VARIABLES
from marketdata.settings import SETTINGS_BY_NAME
from tests.support.markdown_pages import NAMES, PAGES, anchors, blocks, prose, read

MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
# Words in capitals with an underscore that are not settings: variables of other programs and of
# the tests, and words of formats.
OTHER_NAMES = {
    "AWS_REGION", "SAM_DOCKER_NETWORK", "TEST_PAYLOADS", "TEST_BROWSER", "TEST_EXAMPLES",
    "GLOBAL_QUOTE", "EUR_USD", "ENV_PREFIXES", "MOST_LIST_BYTES",
}  # fmt: skip
# Commands that only the AWS CLI has: the API has no operation of this name.
CLI_ONLY = {
    ("logs", "tail"),
    ("s3", "rm"),
    ("s3", "rb"),
    ("lambda", "invoke"),
    ("s3", "cp"),
    ("s3", "sync"),
}
GLOBAL_OPTIONS = {"query", "output", "region", "endpoint-url", "profile"}


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_to_files_and_headings(page):
    """The file of each link or picture exists, and has a heading for the anchor."""
    text = prose(page.relative_to(PROJECT).as_posix())
    pictures = re.findall(r'\bsrc(?:set)?="([^"]+)"', text)
    for target in [*re.findall(r"\]\(([^)\s]+)\)", text), *pictures]:
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@pytest.mark.parametrize("name", NAMES)
def test_settings_that_a_page_names_exist(name):
    """Each name in capitals is a setting, one of our other variables, or in `OTHER_NAMES`."""
    known = SETTINGS_BY_NAME.keys() | set(OTHER_VARIABLES) | OTHER_NAMES
    named = set(re.findall(r"(?<![\w<>-])[A-Z]+(?:_[A-Z]+)+(?![\w<>])", read(name)))
    assert named <= known


@pytest.mark.parametrize("name", NAMES)
def test_make_targets_that_a_page_names_exist(name):
    """Each `make target` is in the Makefile."""
    code = "\n".join([*re.findall(r"`([^`]+)`", prose(name)), *(b.text for b in blocks(name))])
    assert set(re.findall(r"\bmake ([a-z][a-z-]*)", code)) <= TARGETS


@pytest.mark.parametrize("name", NAMES)
def test_paths_that_a_page_names_exist(name):
    """Each named path exists below the root or the core."""
    folders = "docs|tests|local|layers|functions|events|providers|domain|prices|lists|cache|api"
    for path in re.findall(
        rf"`((?:{folders})/[\w./-]+\.(?:py|md|json|lua|txt|yaml))`", prose(name)
    ):
        core = PROJECT / "layers" / "core" / "marketdata"
        assert (PROJECT / path).exists() or (core / path).exists(), path


def aws_commands() -> list[str]:
    """Return each command in a block or in backticks that is an operation of the AWS API."""
    found = []
    for name in NAMES:
        texts = [block.text for block in blocks(name) if block.language == "sh"]
        texts += re.findall(r"`([^`]+)`", prose(name))
        for text in texts:
            joined = re.sub(r"\\\n\s*|\s*\n\s+(?=--)", " ", text)
            found += re.findall(r"(?:^|\$\(|&& )(aws [a-z0-9-]+ [^\n)]*)", joined, re.MULTILINE)
    return [command for command in found if tuple(command.split()[1:3]) not in CLI_ONLY]


@pytest.mark.parametrize("command", aws_commands())
def test_commands_of_the_aws_cli_are_operations_with_these_options(command):
    """Service, operation and options of each command are in botocore's model of the API."""
    service, operation = command.split()[1:3]
    model = botocore.session.get_session().get_service_model(service.replace("s3api", "s3"))
    names = {xform_name(known, "-"): known for known in model.operation_names}
    assert operation in names
    shape = model.operation_model(names[operation]).input_shape
    options = {xform_name(member, "-") for member in (shape.members if shape else {})}
    given = set(re.findall(r"(?<=\s)--([a-z][a-z-]*)", command))
    extra = {"source-group", "protocol", "port", "cidr"} if service == "ec2" else set()
    assert given <= options | GLOBAL_OPTIONS | extra
