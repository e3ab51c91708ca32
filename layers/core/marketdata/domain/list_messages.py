"""The messages of the refresh of asset lists: plan_assets -> fetch_assets -> commit_assets."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import ValidationError, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from marketdata.domain.breaker import Permit
from marketdata.domain.messages import Message, Reservation
from marketdata.domain.outcomes import DenyReason, Outcome
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.domain.trading_hours import Timetable


def _none_if_damaged(value: Any, validate: ValidatorFunctionWrapHandler) -> Timetable | None:
    """Return None for a damaged timetable.

    No price is judged by it then, and the list is not lost.
    """
    try:
        timetable: Timetable | None = validate(value)
    except ValidationError:
        return None
    return timetable


TimetableMessage = Annotated[Timetable | None, WrapValidator(_none_if_damaged)]


class RefreshEvent(Message):
    """The input of plan_assets."""

    execution: str = ""


class ListAttempt(Message):
    """Calls that a refresh may make at one provider; without a reservation if they are free."""

    provider: Source
    calls: int
    permit: Permit = Permit(generation=0)
    reservation: Reservation | None = None


class SkippedList(Message):
    """A provider whose budget does not cover its list today."""

    provider: Source
    reason: DenyReason


class AssetJob(Message):
    """The refresh of one class's list, planned at `planned_ms`.

    `sources` are all providers that list the class, `attempts` the calls to those that are asked
    now. If the list in the archive is younger than `young_ms`, it is used and no provider is asked.
    """

    id: str
    asset_class: AssetClass
    version: str
    planned_ms: int
    sources: tuple[Source, ...]
    attempts: tuple[ListAttempt, ...]
    skipped: tuple[SkippedList, ...] = ()
    young_ms: int = 0
    execution: str = ""


class AssetPlan(Message):
    """The output of plan_assets.

    `restore`: the classes whose list the cache has lost. `late`: the classes whose list is too old
    although no refresh is due. `version` is None if no refresh is due.
    """

    version: str | None
    restore: tuple[AssetClass, ...]
    jobs: tuple[AssetJob, ...]
    late: tuple[AssetClass, ...] = ()
    execution: str = ""


class ListOutcome(Message):
    """The result of one provider's list. `total`: how many assets it has."""

    provider: Source
    outcome: Outcome
    calls_used: int = 0
    hold_s: float | None = None
    detail: str = ""
    total: int = 0


class AssetReport(Message):
    """The output of fetch_assets, a job whose fetch failed, or a request to restore a list.

    `candidate`: the name of the merged list in the archive, None if no provider answered.
    `sources`: the providers whose list is of today. A report without a job restores the list of
    `asset_class`. In a report with a job, `restore` says that the list in the archive is young
    enough.
    """

    job: AssetJob | None = None
    asset_class: AssetClass | None = None
    restore: bool = False
    candidate: str | None = None
    total: int = 0
    sources: tuple[Source, ...] = ()
    outcomes: tuple[ListOutcome, ...] = ()
    timetable: TimetableMessage = None
    error: str = ""
    execution: str = ""

    @model_validator(mode="after")
    def _has_a_class(self) -> Self:
        if self.job is None and self.asset_class is None:
            raise ValueError("a report has a job or an asset_class")
        return self

    @property
    def of_class(self) -> AssetClass:
        """The class of the list."""
        asset_class = self.asset_class if self.job is None else self.job.asset_class
        assert asset_class is not None  # noqa: S101  the validator has checked it
        return asset_class


class AssetSummary(Message):
    """The output of commit_assets.

    `failed`: the class was to be refreshed and has no list of this refresh or a later one.
    `restored`: the last good list was put back. `reason`: why no new list was swapped in.
    """

    asset_class: AssetClass
    swapped: bool = False
    restored: bool = False
    failed: bool = False
    total: int = 0
    sources: tuple[Source, ...] = ()
    reason: str = ""
    outcomes: tuple[ListOutcome, ...] = ()
    execution: str = ""
