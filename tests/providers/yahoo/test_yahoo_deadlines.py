"""A call to Yahoo ends at its deadline, and no other host ever gets a request."""

import gzip

import pytest

from marketdata.domain.symbols import AssetClass
from marketdata.errors import UnavailableError
from marketdata.providers.yahoo import Yahoo
from marketdata.providers.yahoo_session import YahooSender
from marketdata.providers.yahoo_transport import YahooTransport
from tests.support.fake_yahoo import COOKIE, CRUMB, QUOTE, SCREENER, Answer, FakeYahoo
from tests.support.yahoo_calls import LONG_S, ask, failure_of, prices


@pytest.mark.parametrize("path", [COOKIE, CRUMB, QUOTE])
@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_a_call_ends_at_its_deadline(yahoo, sender, path, fault):
    """Cookie, crumb and quotes share one deadline, and the error names the host."""
    yahoo.faults[path].extend([getattr(yahoo, fault)] * 5)
    if path == COOKIE:  # yfinance goes on without a cookie, so the quotes must hang as well
        yahoo.faults[QUOTE].append(yahoo.hang)
    message = failure_of(lambda: ask(sender, timeout_s=0.4))
    assert yahoo.netloc in message
    assert "timed out" in message


def test_a_cookie_page_that_hangs_leaves_time_for_the_quotes(yahoo, sender):
    """A hanging cookie page takes a third of the time, and then yfinance uses the consent page."""
    yahoo.faults[COOKIE].append(yahoo.hang)
    form = '<form><input name="csrfToken" value="t"><input name="sessionId" value="s"></form>'
    cookie = (("Set-Cookie", "A3=d=cookie; Domain=.yahoo.com; Path=/; Secure"),)
    yahoo.faults["/consent"].append(Answer(200, form, "text/html"))
    yahoo.faults["/v2/collectConsent"].append(Answer(200, "", headers=cookie))
    assert prices(ask(sender, timeout_s=9.0)) == {"AAPL": "244.6", "MSFT": "410.5"}


def test_a_refused_connection_is_named(yahoo):
    """The error about a refused connection names host and port."""
    with FakeYahoo() as gone:
        url, netloc = gone.url, gone.netloc
    assert failure_of(lambda: ask(YahooSender(url))) == f"{netloc}: the connection failed"


def test_an_unknown_host_is_named():
    """The error about an unknown host says that its name could not be resolved."""
    message = failure_of(lambda: ask(YahooSender("http://yahoo.invalid"), timeout_s=10))
    assert message == "yahoo.invalid: the name could not be resolved"


def test_a_password_in_the_base_url_is_never_shown(yahoo):
    """An error names host and port of the base URL, and not its password."""
    sender = YahooSender(yahoo.url.replace("//", "//user:hidden@"))
    yahoo.faults[COOKIE].append(yahoo.hang)
    yahoo.faults[QUOTE].append(yahoo.hang)
    message = failure_of(lambda: ask(sender, timeout_s=0.4))
    assert yahoo.netloc in message
    assert "hidden" not in message


def test_an_endless_answer_is_cut_off(yahoo, sender):
    """An answer that announces 1 GB is an error."""

    def announced(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(10**9))
        handler.end_headers()

    ask(sender)
    yahoo.faults[QUOTE].append(announced)
    assert failure_of(lambda: ask(sender)).endswith("the request failed (curl error 63)")


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_an_answer_is_not_read_beyond_its_limit(yahoo, sender, packed):
    """An answer is read up to 2 MB, counted after unpacking, and a larger one is an error."""
    body = b" " * (3 * 1024 * 1024)
    headers = (("Content-Encoding", "gzip"),) if packed else ()
    ask(sender)
    yahoo.faults[QUOTE].append(Answer(200, gzip.compress(body) if packed else body, "a/b", headers))
    message = failure_of(lambda: ask(sender))
    assert message == f"{yahoo.netloc}: an answer of more than {2 * 1024**2} bytes"
    assert prices(ask(sender)) == {"AAPL": "244.6", "MSFT": "410.5"}


def test_a_proxy_stands_between_us_and_yahoo(yahoo):
    """With a proxy every request is sent to the proxy."""
    sender = YahooSender("http://yahoo.invalid", proxy_url=lambda: yahoo.url)
    assert prices(ask(sender)) == {"AAPL": "244.6", "MSFT": "410.5"}
    assert yahoo.paths() == [COOKIE, CRUMB, QUOTE]


def test_no_time_left_means_no_request(yahoo, sender):
    """A call without time left sends no request."""
    assert "not reached" in failure_of(lambda: ask(sender, timeout_s=0))
    assert yahoo.seen == []


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://example.com/",
        "http://query1.finance.yahoo.com/v7/finance/quote",
        "file:///etc/passwd",
    ],
)
def test_a_redirect_never_leaves_yahoo(yahoo, sender, location):
    """A redirect to another host, to Yahoo without TLS or to a file is an error."""
    ask(sender)
    yahoo.faults[QUOTE].append(Answer(302, "", headers=(("Location", location),)))
    assert "not one of Yahoo's hosts" in failure_of(lambda: ask(sender))


def test_a_cookie_that_cannot_be_read_is_passed_over(yahoo, sender):
    """A cookie that cannot be read is ignored, and a good one in the same answer is kept."""
    ask(sender)
    bad = (("Set-Cookie", "a/b=1"), ("Set-Cookie", "good=1; Domain=.yahoo.com"))
    yahoo.faults[QUOTE].append(Answer(200, {}, headers=bad))
    ask(sender)
    ask(sender)
    assert "good=1" in yahoo.seen[-1].cookies


def test_a_redirect_within_yahoo_is_followed_to_the_base_url(yahoo, sender):
    """A redirect to a host of Yahoo, to the base URL or to a path is sent to the base URL."""
    ask(sender)
    query = "?symbols=AAPL&crumb=CrumbExmpl1"
    for origin in ("https://query2.finance.yahoo.com", yahoo.url, ""):
        yahoo.faults[QUOTE].append(Answer(302, "", headers=(("Location", origin + QUOTE + query),)))
        assert prices(ask(sender)) == {"AAPL": "244.6"}


def test_yahoos_consent_page_is_answered_by_yfinance(yahoo, sender):
    """Yahoo's consent page is filled in by yfinance, with requests to the base URL only."""
    ask(sender)
    form = '<form action="/agreed"><input name="csrfToken" value="t"></form>'
    quotes = f"https://query1.finance.yahoo.com{QUOTE}?symbols=AAPL&crumb=CrumbExmpl1"
    consent = "https://consent.yahoo.com/v2/collectConsent?sessionId=1"
    yahoo.faults[QUOTE].append(Answer(302, "", headers=(("Location", consent),)))
    yahoo.faults["/v2/collectConsent"].append(Answer(200, form, "text/html"))
    yahoo.faults["/agreed"].append(Answer(303, "", headers=(("Location", quotes),)))
    assert prices(ask(sender)) == {"AAPL": "244.6"}
    assert yahoo.paths()[3:] == [QUOTE, "/v2/collectConsent", "/agreed", QUOTE]
    assert "agree=1" in yahoo.seen[-2].body


def test_a_temporary_redirect_keeps_what_was_posted(yahoo, sender):
    """After a 307 the POST is repeated with its body."""
    ask(sender)
    location = f"{SCREENER}?crumb=CrumbExmpl1"
    yahoo.faults[SCREENER].append(Answer(307, "", headers=(("Location", location),)))
    request = Yahoo().build_asset_requests(AssetClass.STOCKS)[1]
    assert sender.send(request, LONG_S).status == 200
    first, second = yahoo.seen[-2:]
    assert (first.method, first.body) == (second.method, second.body)
    assert '"offset":250' in second.body


def test_redirects_end(yahoo, sender):
    """A call ends with an error after five redirects."""
    ask(sender)
    yahoo.faults[QUOTE].extend([Answer(302, "", headers=(("Location", QUOTE),))] * 9)
    assert "redirects" in failure_of(lambda: ask(sender))
    assert len(yahoo.seen) == 3 + 5


def test_without_a_base_url_requests_go_to_the_real_hosts():
    """Without a base URL no URL of Yahoo is changed, and other hosts are an error."""
    live = YahooTransport()
    url = "https://query1.finance.yahoo.com/v7/finance/quote?symbols=A"
    assert live._target(url) == url
    with pytest.raises(UnavailableError, match=r"example\.com"):
        live._target("https://example.com/")


def test_yfinance_sends_nothing_outside_of_a_call(yahoo):
    """A request of yfinance outside of a call, which has no deadline, is an error."""
    with pytest.raises(UnavailableError, match="outside of a call"):
        YahooTransport(yahoo.url).get("https://query1.finance.yahoo.com/")
    assert yahoo.seen == []
