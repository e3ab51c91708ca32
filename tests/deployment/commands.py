"""Runs the commands in the stack's outputs as the AWS CLI would run them."""

from __future__ import annotations

import shlex
from typing import Any

from botocore import xform_name

from tests.deployment.ground import REGION, Emulator


def run(emulator: Emulator, command: str) -> Any:
    """Return the answer to `aws <service> <operation> --option value ...`; options must exist."""
    program, service, operation, *options = shlex.split(command)
    assert program == "aws", command
    given = dict(zip(options[::2], options[1::2], strict=True))
    assert given.pop("--region") == REGION, command
    client = emulator.client(service)
    method = operation.replace("-", "_")
    name = client.meta.method_to_api_mapping[method]
    members = client.meta.service_model.operation_model(name).input_shape.members
    known = {f"--{xform_name(member, '-')}": member for member in members}
    return getattr(client, method)(**{known[option]: value for option, value in given.items()})
