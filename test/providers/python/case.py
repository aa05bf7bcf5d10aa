"""What a case is: one provider's library against one preset."""

import base64
import copy
import json
from dataclasses import dataclass, field
from typing import Callable, Optional
from urllib.parse import parse_qsl, urlencode, urlsplit

DAY = 24 * 60 * 60

# Secrets of the forms that schemes ask for, and another of each.
WHSEC, WHSEC_OTHER = (
    "whsec_" + base64.b64encode(key).decode()
    for key in (b"a key of 32 bytes for this suite", b"another key of 32 bytes: no good")
)
# The key of a token must be as long as its hash.
LONG, LONG_OTHER = "a-secret-of-2026-that-is-long-enough-for-a-token", "another-secret-of-2026-that-is-long-enough-too"


class Request:
    """A request as it arrives."""

    def __init__(self, body=b"", headers=(), url="https://example.com/webhooks/inbox", method="POST"):
        self.body = body
        self.headers = headers
        self.url = url
        self.method = method

    @property
    def headers(self):
        return self._headers

    @headers.setter
    def headers(self, pairs):
        self._headers = [(name, value) for name, value in (pairs.items() if isinstance(pairs, dict) else pairs)]

    def header(self, name):
        for other, value in self._headers:
            if other.lower() == name.lower():
                return value
        raise KeyError(f"the request has no header {name}")

    def set_header(self, name, value):
        self._headers = [pair for pair in self._headers if pair[0].lower() != name.lower()] + [(name, value)]

    def lower_headers(self):
        """The headers with lower-case names, as the libraries that take a dict want them."""
        return {name.lower(): value for name, value in self._headers}

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def form(self):
        return dict(parse_qsl(self.text, keep_blank_values=True))

    @property
    def query(self):
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    def copy(self):
        return copy.deepcopy(self)


def body_changed(request):
    """What a case does, unless it says otherwise, to a request that must then be refused."""
    request.body = request.body.replace(b"2000", b"9000")


def json_request(value, headers=(), **more):
    """A JSON body with spaces and a letter of two bytes: what reads and writes it again changes it."""
    if isinstance(value, dict):
        value = {**value, "note": "Zürich"}
    text = json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
    return Request(text.encode(), [("Content-Type", "application/json"), *headers], **more)


def form_request(fields, headers=(), **more):
    return Request(
        urlencode(fields).encode(), [("Content-Type", "application/x-www-form-urlencoded"), *headers], **more
    )


@dataclass
class Case:
    preset: str
    # The package, as requirements.txt names it.
    sdk: str
    # A request that is not signed yet, with 2000 somewhere in what the provider signs.
    request: Callable[[], Request]
    secret: str = "a-secret-of-2026"
    # Another secret, of the same form.
    other: str = "another-secret-of-2026"
    # The library signs: (request, secret, at) puts the signature into the request.
    sign: Optional[Callable[[Request, str, float], None]] = None
    # The library verifies: (request, secret) raises, or returns False, to refuse.
    verify: Optional[Callable[[Request, str], object]] = None
    # The private key of a scheme whose secret is a public key.
    private: Optional[str] = None
    parameters: dict = field(default_factory=dict)
    change: Callable[[Request], None] = body_changed
    # Is the age of a request checked by the scheme, and by the library?
    timed: bool = False
    library_timed: bool = False
    # Does the library look at the body? Some verify a token beside it.
    library_reads_body: bool = True
    # What of the preset this case is about, where there are several.
    about: str = ""
