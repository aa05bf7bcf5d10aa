"""Work, documents, identity and models."""

import base64
import json
from datetime import datetime, timezone
from email import message_from_bytes
from urllib.parse import urlsplit

import anthropic
import atlassian_jwt
import openai
import replicate.webhook
import resend
import standardwebhooks
import svix.webhooks
from box_sdk_gen.managers.webhooks import WebhooksManager
from dropbox_sign import EventCallbackHelper, EventCallbackRequest
from elevenlabs.client import ElevenLabs
from hubspot.utils.signature import Signature
from onfido import WebhookEventVerifier
from workos.webhooks._verification import verify_header

from case import LONG, LONG_OTHER, WHSEC, WHSEC_OTHER, Case, Request, json_request


def standard_sign(request, secret, at):
    sent = datetime.fromtimestamp(int(at), timezone.utc)
    signature = standardwebhooks.Webhook(secret).sign(request.header("webhook-id"), sent, request.text)
    request.set_header("webhook-timestamp", str(int(at)))
    request.set_header("webhook-signature", signature)


def standard_verify(request, secret):
    standardwebhooks.Webhook(secret).verify(request.body, request.lower_headers())


def standard_request():
    return json_request({"type": "order.paid", "data": {"amount": 2000}}, [("webhook-id", "msg_1")])


def svix_request():
    return json_request({"type": "order.paid", "data": {"amount": 2000}}, [("svix-id", "msg_1")])


def svix_sign(request, secret, at):
    sent = datetime.fromtimestamp(int(at), timezone.utc)
    signature = svix.webhooks.Webhook(secret).sign(request.header("svix-id"), sent, request.text)
    request.set_header("svix-timestamp", str(int(at)))
    request.set_header("svix-signature", signature)


def svix_verify(request, secret):
    svix.webhooks.Webhook(secret).verify(request.body, request.lower_headers())


def resend_verify(request, secret):
    headers = {part: request.header(f"svix-{part}") for part in ("id", "timestamp", "signature")}
    resend.Webhooks.verify({"payload": request.text, "headers": headers, "webhook_secret": secret})


def openai_verify(request, secret):
    client = openai.OpenAI(api_key="unused")
    client.webhooks.verify_signature(request.text, request.lower_headers(), secret=secret)


def anthropic_verify(request, secret):
    client = anthropic.Anthropic(api_key="unused")
    client.beta.webhooks.unwrap(request.text, headers=request.lower_headers(), key=secret)


def replicate_verify(request, secret):
    replicate.webhook.Webhooks.validate(
        headers=request.lower_headers(),
        body=request.text,
        secret=replicate.webhook.WebhookSigningSecret(key=secret),
        tolerance=300,
    )


def elevenlabs_request():
    return json_request({"type": "post_call_transcription", "data": {"conversation_id": "c-2000"}})


def elevenlabs_verify(request, secret):
    ElevenLabs(api_key="unused").webhooks.construct_event(request.text, request.header("ElevenLabs-Signature"), secret)


def hubspot_request():
    return json_request([{"eventId": 2000, "subscriptionType": "contact.creation", "objectId": 1}])


def hubspot_query_request():
    return json_request([{"eventId": 2000}], url="https://example.com/webhooks/inbox?a=b%20c&at=2026-11-25T10%3A00")


def hubspot(version, header):
    """The rule of a version: how the library signs, and how it verifies."""

    def sign(request, secret, at):
        timestamp = str(int(at * 1000)) if version == "v3" else None
        signature = Signature.get_signature(secret, request.text, version, request.url, request.method, timestamp)
        request.set_header(header, signature)
        if timestamp:
            request.set_header("X-HubSpot-Request-Timestamp", timestamp)
        else:
            request.set_header("X-HubSpot-Signature-Version", version)

    def verify(request, secret):
        return Signature.is_valid(
            signature=request.header(header),
            client_secret=secret,
            request_body=request.text,
            http_uri=request.url,
            http_method=request.method,
            signature_version=version,
            timestamp=request.header("X-HubSpot-Request-Timestamp") if version == "v3" else None,
        )

    return {"sign": sign, "verify": verify}


def onfido_request():
    payload = {"resource_type": "check", "action": "check.completed", "object": {"id": "c-2000"}}
    return json_request({"payload": payload})


def onfido_verify(request, secret):
    WebhookEventVerifier(secret).read_payload(request.text, request.header("X-SHA2-Signature"))


def dropbox_sign_request():
    event = {"event_time": "1792000000", "event_type": "signature_request_sent", "event_hash": ""}
    lines = ["--b", 'Content-Disposition: form-data; name="json"', "", json.dumps({"event": event}), "--b--", ""]
    return Request("\r\n".join(lines).encode(), [("Content-Type", "multipart/form-data; boundary=b")])


def dropbox_sign_verify(request, secret):
    head = f"Content-Type: {request.header('Content-Type')}\r\n\r\n".encode()
    [part] = message_from_bytes(head + request.body).get_payload()
    callback = EventCallbackRequest.init(json.loads(part.get_payload()))
    return EventCallbackHelper.is_valid(secret, callback)


def dropbox_sign_change(request):
    """The time and the type are all that is signed."""
    request.body = request.body.replace(b"1792000000", b"1792009000")


def box_request():
    event = {"type": "webhook_event", "id": "e-2000", "trigger": "FILE.UPLOADED"}
    return json_request(event, [("BOX-SIGNATURE-VERSION", "1"), ("BOX-SIGNATURE-ALGORITHM", "HmacSHA256")])


def box_verify(request, secret):
    return WebhooksManager.validate_message(request.text, request.lower_headers(), secret)


def workos_request():
    return json_request({"id": "event_2000", "event": "user.created", "data": {"id": "user_1"}})


def workos_verify(request, secret):
    # WorkOS writes a space behind the comma, and the library insists on it.
    signature = request.header("WorkOS-Signature").replace(",", ", ")
    verify_header(event_body=request.body, event_signature=signature, secret=secret)


def atlassian_request():
    return json_request(
        {"timestamp": 1, "webhookEvent": "jira:issue_updated", "issue": {"id": "1"}},
        url="https://example.com/webhooks/inbox?user_id=a%20b&issue=2000&list=2&list=1",
    )


def atlassian_path(request):
    parts = urlsplit(request.url)
    return f"{parts.path}?{parts.query}"


def atlassian_sign(request, secret, at):
    token = atlassian_jwt.encode_token(request.method, atlassian_path(request), "client-key", secret, timeout_secs=180)
    request.set_header("Authorization", f"JWT {token}")


class AtlassianAuthenticator(atlassian_jwt.Authenticator):
    def __init__(self, secret):
        super().__init__()
        self.secret = secret

    def get_shared_secret(self, client_key):
        return self.secret


def atlassian_verify(request, secret):
    AtlassianAuthenticator(secret).authenticate(request.method, atlassian_path(request), dict(request.headers))


def atlassian_change(request):
    """The body is not signed: the address with its query is."""
    request.url = request.url.replace("2000", "9000")


def standard(preset, sdk, request, **directions):
    return Case(preset, sdk, request, WHSEC, WHSEC_OTHER, timed=True, library_timed=True, **directions)


CASES = [
    standard("standard-webhooks", "standardwebhooks", standard_request, sign=standard_sign, verify=standard_verify),
    standard("svix", "svix", svix_request, sign=svix_sign, verify=svix_verify),
    standard("resend", "resend", svix_request, verify=resend_verify),
    standard("openai", "openai", standard_request, verify=openai_verify),
    standard("anthropic", "anthropic", standard_request, verify=anthropic_verify),
    standard("replicate", "replicate", standard_request, verify=replicate_verify),
    Case("elevenlabs", "elevenlabs", elevenlabs_request, verify=elevenlabs_verify, timed=True, library_timed=True),
    Case(
        "hubspot",
        "hubspot-api-client",
        hubspot_request,
        timed=True,
        library_timed=True,
        **hubspot("v3", "X-HubSpot-Signature-v3"),
    ),
    Case("hubspot-v1", "hubspot-api-client", hubspot_request, **hubspot("v1", "X-HubSpot-Signature")),
    Case("hubspot-v2", "hubspot-api-client", hubspot_query_request, **hubspot("v2", "X-HubSpot-Signature")),
    Case("onfido", "onfido-python", onfido_request, verify=onfido_verify),
    Case("dropbox-sign", "dropbox-sign", dropbox_sign_request, verify=dropbox_sign_verify, change=dropbox_sign_change),
    Case("box", "box-sdk-gen", box_request, verify=box_verify, timed=True, library_timed=True),
    Case("workos", "workos", workos_request, verify=workos_verify, timed=True, library_timed=True),
    Case(
        "atlassian-connect",
        "atlassian-jwt",
        atlassian_request,
        LONG,
        LONG_OTHER,
        sign=atlassian_sign,
        verify=atlassian_verify,
        change=atlassian_change,
        parameters={"client_key": "client-key"},
        timed=True,
        library_timed=True,
    ),
]
