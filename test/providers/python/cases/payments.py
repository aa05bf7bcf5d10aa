"""Payments, shops and banks."""

import base64
import json

import braintree
import dodopayments
import easypost
import finch
import gocardless_pro.webhooks
import increase
import modern_treasury
import polar.webhooks
import razorpay
import stripe
from Adyen import util as adyen
from cashfree_pg.api_client import Cashfree
from coinbase_commerce.webhook import Webhook as CoinbaseWebhook
from mercadopago.webhook.validator import WebhookSignatureValidator
from paddle_billing.Notifications import Secret, Verifier
from square.utils.webhooks_helper import verify_signature as square_verify

from case import WHSEC, WHSEC_OTHER, Case, form_request, json_request

ADYEN_KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
ADYEN_OTHER = "54782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"


def stripe_request():
    return json_request({"id": "evt_1", "object": "event", "type": "charge.succeeded", "data": {"amount": 2000}})


def stripe_sign(request, secret, at):
    header = stripe.WebhookSignature.generate_signature_header(request.text, secret, int(at))
    request.set_header("Stripe-Signature", header)


def stripe_verify(request, secret):
    stripe.Webhook.construct_event(request.body, request.header("Stripe-Signature"), secret)


def square_request():
    return json_request({"event_id": "e-1", "type": "payment.updated", "data": {"id": "p-2000"}})


def square_verifies(request, secret):
    return square_verify(
        request_body=request.text,
        signature_header=request.header("x-square-hmacsha256-signature"),
        signature_key=secret,
        notification_url=request.url,
    )


def adyen_item():
    return {
        "pspReference": "7914073381342284",
        "originalReference": "",
        "merchantAccountCode": "TestMerchant",
        "merchantReference": "order-1",
        "amount": {"value": 2000, "currency": "EUR"},
        "eventCode": "AUTHORISATION",
        "eventDate": "2026-11-25T10:00:00+01:00",
        "success": "true",
        "additionalData": {},
    }


def adyen_request():
    return json_request({"live": "false", "notificationItems": [{"NotificationRequestItem": adyen_item()}]})


def adyen_sign(request, secret, at):
    notification = request.json
    item = notification["notificationItems"][0]["NotificationRequestItem"]
    item["additionalData"]["hmacSignature"] = adyen.generate_notification_sig(item, secret).decode()
    request.body = json.dumps(notification).encode()


def adyen_verify(request, secret):
    return adyen.is_valid_hmac_notification(request.json, secret) is True


def adyen_platform_request():
    return json_request({"type": "balancePlatform.transfer.created", "data": {"id": "T1", "amount": {"value": 2000}}})


def adyen_platform_sign(request, secret, at):
    request.set_header("HmacSignature", adyen.generate_payload_sig(request.body, secret).decode())
    request.set_header("Protocol", "HmacSHA256")


def adyen_platform_verify(request, secret):
    return adyen.is_valid_hmac_payload(request.header("HmacSignature"), secret, request.body)


# The name that the engine gives to a signature where the preset takes any name.
BRAINTREE_PUBLIC_KEY = "key"


def braintree_gateway(private_key):
    return braintree.BraintreeGateway(
        braintree.Configuration(
            environment=braintree.Environment.Sandbox,
            merchant_id="merchant",
            public_key=BRAINTREE_PUBLIC_KEY,
            private_key=private_key,
        )
    )


def braintree_notification(private_key):
    gateway = braintree_gateway(private_key)
    return gateway.webhook_testing.sample_notification("subscription_canceled", "sub_2000")


def braintree_request():
    return form_request({"bt_payload": braintree_notification("unused")["bt_payload"]})


def braintree_sign(request, secret, at):
    request.body = form_request(braintree_notification(secret)).body


def braintree_verify(request, secret):
    braintree_gateway(secret).webhook_notification.parse(request.form["bt_signature"], request.form["bt_payload"])


def braintree_change(request):
    fields = request.form
    fields["bt_payload"] = base64.encodebytes(
        base64.b64decode(fields["bt_payload"]).replace(b"sub_2000", b"sub_9000")
    ).decode()
    request.body = form_request(fields).body


def paddle_request():
    return json_request({"event_id": "evt_1", "event_type": "transaction.paid", "data": {"id": "txn_2000"}})


class PaddleRequest:
    """What the library reads of a framework's request."""

    def __init__(self, request):
        self.headers, self.body = dict(request.headers), request.body


def paddle_verify(request, secret):
    return Verifier().verify(PaddleRequest(request), Secret(secret))


def coinbase_request():
    return json_request({"id": "d-1", "event": {"id": "e-1", "type": "charge:confirmed", "data": {"code": "C2000"}}})


def coinbase_verify(request, secret):
    CoinbaseWebhook.construct_event(request.text, request.header("X-CC-Webhook-Signature"), secret)


def razorpay_request():
    return json_request({"event": "payment.captured", "payload": {"payment": {"entity": {"amount": 2000}}}})


def razorpay_verify(request, secret):
    client = razorpay.Client(auth=("key", "unused"))
    return client.utility.verify_webhook_signature(request.text, request.header("X-Razorpay-Signature"), secret)


def gocardless_request():
    events = [{"id": "EV2000", "resource_type": "payments", "action": "paid_out", "links": {"payment": "PM1"}}]
    return json_request({"events": events, "meta": {"webhook_id": "WB1"}})


def gocardless_verify(request, secret):
    gocardless_pro.webhooks.parse(request.body, secret, request.header("Webhook-Signature"))


def easypost_request():
    return json_request({"id": "evt_1", "description": "tracker.updated", "result": {"id": "trk_2000", "weight": 1.0}})


def easypost_verify(request, secret):
    easypost.util.validate_webhook(request.body, {"X-Hmac-Signature": request.header("X-Hmac-Signature")}, secret)


def mercado_pago_request():
    return json_request(
        {"id": 1, "type": "payment", "action": "payment.updated", "data": {"id": "2000"}},
        [("x-request-id", "r-1")],
        url="https://example.com/webhooks/inbox?data.id=2000&type=payment",
    )


def mercado_pago_verify(request, secret):
    WebhookSignatureValidator.validate(
        request.header("x-signature"), request.header("x-request-id"), request.query["data.id"], secret
    )


def mercado_pago_change(request):
    """The body is not signed: what counts is the id in the query."""
    request.url = request.url.replace("2000", "9000")


def cashfree_request():
    return json_request({"type": "PAYMENT_SUCCESS_WEBHOOK", "data": {"order": {"order_id": "o-2000"}}})


def cashfree_verify(request, secret):
    Cashfree(XEnvironment=Cashfree.SANDBOX, XClientId="id", XClientSecret=secret).PGVerifyWebhookSignature(
        request.header("x-webhook-signature"), request.text, request.header("x-webhook-timestamp")
    )


def modern_treasury_client():
    return modern_treasury.ModernTreasury(api_key="unused", organization_id="unused")


def modern_treasury_request():
    return json_request({"event": "completed", "data": {"id": "po-1", "amount": 2000}}, [("X-Topic", "payment_order")])


def modern_treasury_sign(request, secret, at):
    request.set_header("X-Signature", modern_treasury_client().webhooks.get_signature(request.text, key=secret))


def modern_treasury_verify(request, secret):
    return modern_treasury_client().webhooks.validate_signature(request.text, dict(request.headers), key=secret)


def standard_request(value, header="webhook-id"):
    return json_request(value, [(header, "msg_1")])


def dodo_request():
    return standard_request({"type": "payment.succeeded", "business_id": "b", "data": {"total_amount": 2000}})


def dodo_verify(request, secret):
    client = dodopayments.DodoPayments(bearer_token="unused")
    client.webhooks.unwrap(request.text, headers=request.lower_headers(), key=secret)


def increase_request():
    return standard_request({"id": "event_1", "category": "transaction.created", "associated_object_id": "t_2000"})


def increase_verify(request, secret):
    increase.Increase(api_key="unused").events.unwrap(request.text, headers=request.lower_headers(), key=secret)


def polar_request():
    return standard_request({"type": "order.paid", "data": {"id": "o-1", "amount": 2000}})


def polar_verify(request, secret):
    polar.webhooks.validate_event(request.body, request.lower_headers(), secret, frozenset({"order.paid"}), dict)


def finch_request():
    return standard_request({"event_type": "company.updated", "data": {"id": "c-2000"}}, header="Finch-Event-Id")


def finch_verify(request, secret):
    client = finch.Finch(client_id="unused", client_secret="unused")
    client.webhooks.verify_signature(request.body, dict(request.headers), secret=secret)


CASES = [
    Case("stripe", "stripe", stripe_request, sign=stripe_sign, verify=stripe_verify, timed=True, library_timed=True),
    Case("square", "squareup", square_request, verify=square_verifies),
    Case("adyen", "Adyen", adyen_request, ADYEN_KEY, ADYEN_OTHER, sign=adyen_sign, verify=adyen_verify),
    Case(
        "adyen-platform",
        "Adyen",
        adyen_platform_request,
        ADYEN_KEY,
        ADYEN_OTHER,
        sign=adyen_platform_sign,
        verify=adyen_platform_verify,
    ),
    Case(
        "braintree",
        "braintree",
        braintree_request,
        sign=braintree_sign,
        verify=braintree_verify,
        change=braintree_change,
        parameters={"public_key": BRAINTREE_PUBLIC_KEY},
    ),
    Case("paddle", "paddle-python-sdk", paddle_request, verify=paddle_verify, timed=True, library_timed=True),
    Case("coinbase-commerce", "coinbase-commerce", coinbase_request, verify=coinbase_verify),
    Case("razorpay", "razorpay", razorpay_request, verify=razorpay_verify),
    Case("gocardless", "gocardless-pro", gocardless_request, verify=gocardless_verify),
    Case("easypost", "easypost", easypost_request, verify=easypost_verify),
    Case(
        "mercado-pago",
        "mercadopago",
        mercado_pago_request,
        verify=mercado_pago_verify,
        change=mercado_pago_change,
    ),
    Case("cashfree", "cashfree-pg", cashfree_request, verify=cashfree_verify, timed=True),
    Case(
        "modern-treasury",
        "modern-treasury",
        modern_treasury_request,
        sign=modern_treasury_sign,
        verify=modern_treasury_verify,
    ),
    Case(
        "dodo-payments",
        "dodopayments",
        dodo_request,
        WHSEC,
        WHSEC_OTHER,
        verify=dodo_verify,
        timed=True,
        library_timed=True,
    ),
    Case(
        "increase",
        "increase",
        increase_request,
        WHSEC,
        WHSEC_OTHER,
        verify=increase_verify,
        timed=True,
        library_timed=True,
    ),
    Case(
        "polar",
        "polar-sdk",
        polar_request,
        "polar_whs_a-secret-of-2026",
        "polar_whs_another-secret-of-2026",
        verify=polar_verify,
        timed=True,
        library_timed=True,
    ),
    Case(
        "finch",
        "finch-api",
        finch_request,
        WHSEC.removeprefix("whsec_"),
        WHSEC_OTHER.removeprefix("whsec_"),
        verify=finch_verify,
        timed=True,
        library_timed=True,
    ),
]
