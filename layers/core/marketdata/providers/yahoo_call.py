"""One call to Yahoo: its limits, what happened on the way, and the errors that end it.

A call may take several HTTP requests: for a cookie, for a crumb and for the data. This file loads
neither yfinance nor curl_cffi.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from marketdata.errors import UnavailableError
from marketdata.providers.contract import CallAllowance, Response

_LONGEST_CRUMB = 64  # recorded crumbs have eleven characters


class AnsweredError(Exception):
    """Ends a request of yfinance with an answer of Yahoo that is an error.

    Otherwise yfinance would repeat a request with a status of 400 or more two to five times, also
    after a rate limit.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(f"Yahoo answered {response.status}")
        self.response = response


class NoCrumbError(ConnectionError):
    """There is no crumb. A ConnectionError: then yfinance keeps none and continues without one."""


class CrumbMissingError(UnavailableError):
    """A call for data has no crumb, so Yahoo would not accept it."""


@dataclass(slots=True)
class Call:
    """One call from start to end: its limits, and what happened on the way.

    `crumb`: the one that was sent, None before that. `failure`: the last host that did not answer
    and how, for people. `crumb_problem`: why there is no crumb, for people. `crumbless`: cookie and
    crumb are not needed, so they are not fetched. `answer`: the last one that came.
    """

    timeout_s: float
    deadline: float
    clock: Callable[[], float]
    allowance: CallAllowance
    most_bytes: int
    crumbless: bool = False
    crumb: str | None = None
    failure: str = ""
    crumb_problem: str = ""
    answer: Response | None = None

    def left_s(self) -> float:
        """Return the seconds that are left; negative when the deadline has passed."""
        return self.deadline - self.clock()

    def too_late(self, host: str) -> UnavailableError:
        """Return the error of a deadline that has passed; it names the host that took the time."""
        cause = self.failure or f"{host}: not reached"
        return UnavailableError(f"{cause}; the limit is {self.timeout_s:g} s in all")


def plausible_crumb(text: object) -> bool:
    """Return whether a text may be a crumb: short, without blanks, neither JSON nor HTML."""
    return (
        isinstance(text, str)
        and 0 < len(text) <= _LONGEST_CRUMB
        and text.isascii()
        and not any(c.isspace() or c in "{<" for c in text)
    )
