"""The engine, behind the bridge program: a JSON line for a question, a JSON line for the answer."""

import base64
import json
import subprocess
from datetime import datetime, timezone


class BridgeError(Exception):
    """The bridge could not do what it was asked; a refused request is no such error."""


class Bridge:
    def __init__(self, binary):
        self.process = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)

    def ask(self, question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise BridgeError("the bridge has ended")
        return json.loads(line)

    def verify(self, case, request, secrets, at):
        """None if the engine takes the request, else (reason, error): the reason is a word, as the engine has it."""
        answer = self.ask(self._question("verify", case, request, secrets, at))
        if "ok" not in answer:
            raise BridgeError(answer["error"])
        return None if answer["ok"] else (answer.get("reason", ""), answer["error"])

    def sign(self, case, request, secret, private, at):
        question = self._question("sign", case, request, [secret], at)
        if private:
            question["private"] = private
        answer = self.ask(question)
        if "request" not in answer:
            raise BridgeError(answer.get("error", "no request"))
        signed = answer["request"]
        headers = signed["headers"]
        request.headers = headers.items() if isinstance(headers, dict) else headers
        request.body = base64.b64decode(signed.get("body_base64", ""))
        request.url = signed.get("url") or request.url

    @staticmethod
    def _question(op, case, request, secrets, at):
        return {
            "op": op,
            "preset": case.preset,
            "secret": secrets,
            "with": case.parameters,
            "url": request.url,
            "request": {
                "method": request.method,
                "headers": [list(pair) for pair in request.headers],
                "body_base64": base64.b64encode(request.body).decode(),
            },
            "at": datetime.fromtimestamp(at, timezone.utc).isoformat().replace("+00:00", "Z"),
        }
