"""Signatures by the Standard Webhooks scheme."""

from datetime import UTC, datetime

from gateway.events import signing

PUBLISHED = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_example_that_the_schemes_libraries_are_tried_with_is_signed_the_same():
    at = datetime.fromtimestamp(1614265330, UTC)
    made = signing.headers([PUBLISHED], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert made == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_every_secret_is_another_and_both_sign():
    first, second = signing.new_secret(), signing.new_secret()
    assert first != second
    at = datetime(2026, 1, 1, tzinfo=UTC)
    both = signing.headers([first, second], "a", at, b"b")["webhook-signature"].split(" ")
    alone = [signing.headers([key], "a", at, b"b")["webhook-signature"] for key in (first, second)]
    assert both == alone
