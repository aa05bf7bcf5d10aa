"""Messages, mail, calls and chat."""

import base64
import hashlib
import time

import pusher
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from discord_interactions import verify_key
from linebot.v3.webhook import SignatureValidator
from livekit.api import AccessToken, TokenVerifier, WebhookReceiver
from mailgun.security import SecurityGuard
from mailtrap.webhooks import verify_signature as mailtrap_verifies
from messagebird.request_validator import RequestValidator as MessageBirdValidator
from plivo.utils import validate_signature as plivo_v2_verifies
from plivo.utils.signature_v3 import construct_post_url, get_signature_v3, validate_v3_signature
from sendgrid.helpers.eventwebhook import EventWebhook
from sinch.domains.authentication.sinch_events.v1.authentication_validation import (
    validate_sinch_event_signature_with_nonce,
)
from slack_sdk.signature import SignatureVerifier
from stream_chat.webhook import verify_signature as stream_verifies
from telnyx.lib.webhook_verification import verify_webhook_signature as telnyx_verifies
from twilio.request_validator import RequestValidator as TwilioValidator
from viberbot import Api
from viberbot.api.bot_configuration import BotConfiguration
from vonage_http_client.auth import Auth as VonageAuth
from vonage_jwt import verify_signature as vonage_verifies

from case import LONG, LONG_OTHER, Case, form_request, json_request


def pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def raw_public(key):
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def der_public(key):
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


ED25519, ED25519_OTHER = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
P256, P256_OTHER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())


def slack_request():
    return json_request({"type": "event_callback", "event_id": "Ev2000", "event": {"type": "message"}})


def slack_command():
    return form_request({"command": "/order", "text": "2000 für Zoë", "trigger_id": "1.2.3"})


def slack_sign(request, secret, at):
    timestamp = str(int(at))
    signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=request.body)
    request.set_header("X-Slack-Request-Timestamp", timestamp)
    request.set_header("X-Slack-Signature", signature)


def slack_verify(request, secret):
    return SignatureVerifier(secret).is_valid_request(request.body, dict(request.headers))


def discord_event():
    return json_request({"type": 1, "application_id": "2000", "event": {"type": "APPLICATION_AUTHORIZED"}})


def discord_interaction():
    return json_request({"id": "2000", "type": 2, "data": {"name": "order"}})


def discord_verify(request, key):
    return verify_key(
        request.body, request.header("X-Signature-Ed25519"), request.header("X-Signature-Timestamp"), key
    )


def twilio_form():
    # Names in another order than the sorted one, an empty value, and what a form must escape.
    fields = {"To": "+15552000", "From": "+15551000", "Body": "für Zoë & you", "MessageSid": "SM1", "Empty": ""}
    return form_request(fields)


def twilio_events():
    """Of a JSON body the address that Twilio calls has the hash, and the address is what is signed."""
    request = json_request([{"specversion": "1.0", "id": "EZ2000", "type": "com.twilio.messaging.message.sent"}])
    request.url += f"?bodySHA256={hashlib.sha256(request.body).hexdigest()}"
    return request


def twilio_parameters(request):
    return request.form if "form" in request.header("Content-Type") else request.text


def twilio_sign(request, secret, at):
    parameters = request.form if "form" in request.header("Content-Type") else {}
    request.set_header("X-Twilio-Signature", TwilioValidator(secret).compute_signature(request.url, parameters))


def twilio_verify(request, secret):
    return TwilioValidator(secret).validate(
        request.url, twilio_parameters(request), request.header("X-Twilio-Signature")
    )


def sendgrid_request():
    request = json_request([{"email": "zoe@example.com", "event": "delivered", "sg_event_id": "e-2000"}])
    request.body += b"\r\n"
    return request


def sendgrid_verify(request, key):
    return EventWebhook(key).verify_signature(
        request.text,
        request.header("X-Twilio-Email-Event-Webhook-Signature"),
        request.header("X-Twilio-Email-Event-Webhook-Timestamp"),
    )


def mailgun_request():
    signature = {"timestamp": "0", "token": "2000" * 12 + "20", "signature": ""}
    return json_request({"signature": signature, "event-data": {"id": "e-1", "event": "delivered"}})


def mailgun_verify(request, secret):
    signature = request.json["signature"]
    return SecurityGuard.verify_webhook(secret, signature["token"], signature["timestamp"], signature["signature"])


def mailtrap_request():
    return json_request({"events": [{"event": "delivery", "event_id": "e-2000", "email": "zoe@example.com"}]})


def mailtrap_verify(request, secret):
    return mailtrap_verifies(request.body, request.header("Mailtrap-Signature"), secret)


def line_request():
    return json_request({"destination": "U2000", "events": []})


def line_verify(request, secret):
    return SignatureValidator(secret).validate(request.text, request.header("x-line-signature"))


def viber_request():
    return json_request({"event": "delivered", "message_token": 2000, "timestamp": 1})


def viber_verify(request, secret):
    bot = Api(BotConfiguration(name="bot", avatar="", auth_token=secret))
    return bot.verify_signature(request.body, request.header("X-Viber-Content-Signature"))


def vonage_request():
    return json_request({"message_uuid": "m-2000", "status": "delivered"})


def vonage_verify(request, secret):
    return vonage_verifies(request.header("Authorization").removeprefix("Bearer "), secret)


def vonage_sms_request():
    fields = {"msisdn": "15551000", "to": "15552000", "text": "A&B=für Zoë", "messageId": "m-1"}
    return form_request({**fields, "timestamp": str(int(time.time()))})


def vonage_sms_auth(secret):
    return VonageAuth(api_key="unused", signature_secret=secret, signature_method="sha256")


def vonage_sms_sign(request, secret, at):
    fields = {**request.form, "timestamp": str(int(at))}
    request.body = form_request({**fields, "sig": vonage_sms_auth(secret).sign_params(dict(fields))}).body


def vonage_sms_verify(request, secret):
    return vonage_sms_auth(secret).check_signature(request.form)


def messagebird_request():
    return json_request({"id": "m-2000", "status": "delivered"}, url="https://example.com/webhooks/inbox?a=2&b=1")


def messagebird_verify(request, secret):
    MessageBirdValidator(secret).validate_signature(
        request.header("MessageBird-Signature-JWT"), request.url, request.body
    )


PLIVO_NONCE = [("X-Plivo-Signature-V3-Nonce", "12345678901234567890")]


def plivo_request():
    return form_request({"To": "15552000", "From": "15551000", "MessageUUID": "m-1"}, PLIVO_NONCE)


def plivo_query_request():
    return form_request(
        {"Digits": "2000", "CallUUID": "c-1"}, PLIVO_NONCE, url="https://example.com/webhooks/inbox?shop=b&b=1"
    )


def plivo_sign(request, secret, at):
    signed = construct_post_url(request.url, request.form).decode()
    nonce = request.header("X-Plivo-Signature-V3-Nonce")
    request.set_header("X-Plivo-Signature-V3", get_signature_v3(secret, signed, nonce).decode())


def plivo_verify(request, secret):
    return validate_v3_signature(
        "POST",
        request.url,
        request.header("X-Plivo-Signature-V3-Nonce"),
        secret,
        request.header("X-Plivo-Signature-V3"),
        request.form,
    )


def plivo_sms_request():
    return form_request({"To": "15551000", "MessageUUID": "m-1"}, [("X-Plivo-Signature-V2-Nonce", "2000")])


def plivo_sms_verify(request, secret):
    nonce, signature = request.header("X-Plivo-Signature-V2-Nonce"), request.header("X-Plivo-Signature-V2")
    return plivo_v2_verifies(request.url, nonce, signature, secret)


def plivo_sms_change(request):
    """The body is not signed: the address and the nonce are."""
    request.set_header("X-Plivo-Signature-V2-Nonce", "9000")


def telnyx_request():
    return json_request({"data": {"id": "2000", "event_type": "message.received", "record_type": "event"}})


def telnyx_verify(request, key):
    telnyx_verifies(request.body, dict(request.headers), key)


def sinch_request():
    nonce = [("x-sinch-webhook-signature-nonce", "01H"), ("x-sinch-webhook-signature-algorithm", "HmacSHA256")]
    return json_request({"app_id": "a", "message_delivery_report": {"message_id": "m-2000"}}, nonce)


def sinch_verify(request, secret):
    return validate_sinch_event_signature_with_nonce(secret, dict(request.headers), request.text)


def stream_request():
    return json_request({"type": "message.new", "message": {"id": "m-2000"}})


def stream_verify(request, secret):
    return stream_verifies(request.body, request.header("X-Signature"), secret)


def pusher_request():
    return json_request(
        {"time_ms": int(time.time() * 1000), "events": [{"name": "channel_occupied", "channel": "c-2000"}]},
        [("X-Pusher-Key", "key")],
    )


def pusher_verify(request, secret):
    client = pusher.Pusher(app_id="1", key="key", secret=secret)
    body = client.validate_webhook(request.header("X-Pusher-Key"), request.header("X-Pusher-Signature"), request.text)
    return body is not None


def livekit_request():
    return json_request({"event": "room_started", "id": "EV_2000"}, [("Content-Type", "application/webhook+json")])


def livekit_sign(request, secret, at):
    digest = base64.b64encode(hashlib.sha256(request.body).digest()).decode()
    request.set_header("Authorization", AccessToken("key", secret).with_sha256(digest).to_jwt())


def livekit_verify(request, secret):
    WebhookReceiver(TokenVerifier("key", secret)).receive(request.text, request.header("Authorization"))


CASES = [
    Case("slack", "slack-sdk", slack_request, sign=slack_sign, verify=slack_verify, timed=True, library_timed=True),
    Case(
        "slack-interactivity",
        "slack-sdk",
        slack_command,
        sign=slack_sign,
        verify=slack_verify,
        timed=True,
        library_timed=True,
    ),
    Case(
        "discord",
        "discord-interactions",
        discord_event,
        raw_public(ED25519).hex(),
        raw_public(ED25519_OTHER).hex(),
        private=pem(ED25519),
        verify=discord_verify,
        timed=True,
    ),
    Case(
        "discord-interactions",
        "discord-interactions",
        discord_interaction,
        raw_public(ED25519).hex(),
        raw_public(ED25519_OTHER).hex(),
        private=pem(ED25519),
        verify=discord_verify,
        timed=True,
    ),
    Case("twilio", "twilio", twilio_form, sign=twilio_sign, verify=twilio_verify),
    Case("twilio-event-streams", "twilio", twilio_events, sign=twilio_sign, verify=twilio_verify),
    Case(
        "sendgrid",
        "sendgrid",
        sendgrid_request,
        der_public(P256),
        der_public(P256_OTHER),
        private=pem(P256),
        verify=sendgrid_verify,
        timed=True,
    ),
    Case("mailgun", "mailgun", mailgun_request, verify=mailgun_verify, timed=True, library_timed=True),
    Case("mailtrap", "mailtrap", mailtrap_request, verify=mailtrap_verify),
    Case("line", "line-bot-sdk", line_request, verify=line_verify),
    Case("viber", "viberbot", viber_request, verify=viber_verify),
    Case("vonage", "vonage-jwt", vonage_request, LONG, LONG_OTHER, verify=vonage_verify, library_reads_body=False),
    Case(
        "vonage-sms",
        "vonage-http-client",
        vonage_sms_request,
        sign=vonage_sms_sign,
        verify=vonage_sms_verify,
        timed=True,
    ),
    Case(
        "messagebird",
        "messagebird",
        messagebird_request,
        LONG,
        LONG_OTHER,
        verify=messagebird_verify,
        timed=True,
        library_timed=True,
    ),
    Case("plivo", "plivo", plivo_request, sign=plivo_sign, verify=plivo_verify),
    Case("plivo", "plivo", plivo_query_request, sign=plivo_sign, verify=plivo_verify, about="an address with a query"),
    Case("plivo-sms", "plivo", plivo_sms_request, verify=plivo_sms_verify, change=plivo_sms_change),
    Case(
        "telnyx",
        "telnyx",
        telnyx_request,
        base64.b64encode(raw_public(ED25519)).decode(),
        base64.b64encode(raw_public(ED25519_OTHER)).decode(),
        private=pem(ED25519),
        verify=telnyx_verify,
        timed=True,
        library_timed=True,
    ),
    Case("sinch", "sinch", sinch_request, verify=sinch_verify, timed=True),
    Case("stream", "stream-chat", stream_request, verify=stream_verify),
    Case("pusher", "pusher", pusher_request, verify=pusher_verify),
    Case(
        "livekit",
        "livekit-api",
        livekit_request,
        LONG,
        LONG_OTHER,
        sign=livekit_sign,
        verify=livekit_verify,
        parameters={"api_key": "key"},
        timed=True,
        library_timed=True,
    ),
]
