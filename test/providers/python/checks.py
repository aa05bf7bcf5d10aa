"""The checks of a case. Each is a sentence, and passes or fails for itself."""

import time

from case import DAY


class Checks:
    """Runs a case's checks and keeps what failed, with why."""

    def __init__(self, bridge, case):
        self.bridge, self.case = bridge, case
        self.passed, self.failed = [], {}
        self.at = time.time()

    def run(self):
        if self.case.sign:
            self._library_signs()
        if self.case.verify:
            self._engine_signs()
        return self

    def _check(self, sentence, fault):
        """fault is a function that returns what is wrong, or None."""
        try:
            wrong = fault()
        except Exception as err:  # a library may raise anything; it must not end the other cases
            wrong = f"{type(err).__name__}: {err}"
        if wrong is None:
            self.passed.append(sentence)
        else:
            self.failed[sentence] = wrong
        return wrong is None

    def _library_signs(self):
        case, request = self.case, self.case.request()

        def sign():
            case.sign(request, case.secret, self.at)

        if not self._check("the library signs", sign):
            return
        self._check("the engine takes what the library signed", lambda: self._engine_takes(request))
        both = [case.other, case.secret]
        self._check("the engine takes one of two secrets", lambda: self._engine_takes(request, both))
        self._engine_refuses("what the library signed", request)

    def _engine_signs(self):
        case = self.case
        request, old = case.request(), case.request()

        def sign():
            self.bridge.sign(case, request, case.secret, case.private, self.at)

        if not self._check("the engine signs", sign):
            return
        self._check("the library takes what the engine signed", lambda: self._library(request))
        self._check("the engine takes what the engine signed", lambda: self._engine_takes(request))
        self._engine_refuses("what the engine signed", request)
        self._check("the library refuses another secret", lambda: self._library_refuses(request, case.other))
        if case.library_reads_body:
            self._check("the library refuses a change", lambda: self._library_refuses(self._changed(request)))
        if case.library_timed:

            def stale():
                self.bridge.sign(case, old, case.secret, case.private, self.at - DAY)
                return self._library_refuses(old)

            self._check("the library refuses what is a day old", stale)

    def _engine_refuses(self, what, request):
        case = self.case
        refused = "the engine refuses {} " + what
        self._check(
            refused.format("a change of"),
            lambda: self._engine_must_refuse(self._changed(request), for_=("signature", "missing")),
        )
        self._check(
            refused.format("another secret for"),
            lambda: self._engine_must_refuse(request, for_=("signature",), secrets=[case.other]),
        )
        if case.timed:
            self._check(
                refused.format("a day later"), lambda: self._engine_must_refuse(request, for_=("stale",), later=DAY)
            )

    def _changed(self, request):
        changed = request.copy()
        self.case.change(changed)
        if (changed.body, changed.headers, changed.url) == (request.body, request.headers, request.url):
            raise AssertionError("the case changed nothing")
        return changed

    def _engine(self, request, secrets=None, later=0):
        return self.bridge.verify(self.case, request, secrets or [self.case.secret], self.at + later)

    def _engine_takes(self, request, secrets=None):
        refused = self._engine(request, secrets)
        return None if refused is None else refused[1]

    def _engine_must_refuse(self, request, for_, secrets=None, later=0):
        """A request is refused for what it is: an engine that is broken refuses too."""
        refused = self._engine(request, secrets, later)
        if refused is None:
            return "it was taken"
        reason, error = refused
        return None if reason in for_ else f"refused for another reason: {error}"

    def _library(self, request):
        return None if self.case.verify(request, self.case.secret) is not False else "it was refused"

    def _library_refuses(self, request, secret=None):
        try:
            taken = self.case.verify(request, secret or self.case.secret) is not False
        except Exception:  # every library has errors of its own; that the same call takes a good request is checked too
            return None
        return "it was taken" if taken else None
