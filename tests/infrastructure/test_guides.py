"""The guides name the parameters and outputs of the template."""

from __future__ import annotations

import re

import pytest

from tests.infrastructure.stack import ROOT, template

GUIDES = {
    name: (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    for name in ("deploying", "operating")
}


@pytest.mark.parametrize("name", GUIDES)
def test_guides_name_parameters_that_there_are(name):
    """A name that a guide writes as `Name=value` or `<Name>` is a parameter or an output."""
    known = template()["Parameters"].keys() | template()["Outputs"].keys()
    text = GUIDES[name]
    named = set(re.findall(r"\b([A-Z][a-z]+(?:[A-Z][A-Za-z0-9]*)+)=", text))
    named |= set(re.findall(r"<([A-Z][A-Za-z]+)>", text))
    assert named
    assert named <= known, named - known


def test_every_output_that_is_a_command_is_in_a_guide():
    """The guides name each command that the deployment prints."""
    for name in ("FirstQuotes", "PutProviderKeys", "RefreshAssetLists", "DomainTarget"):
        assert any(f"`{name}`" in text for text in GUIDES.values())
