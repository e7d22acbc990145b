"""Openpay's own Python SDK against `tonopago sandbox`: create, read, list and refund charges, create tokens.

    tonopago sandbox --listen 127.0.0.1:8770 &
    pip install "setuptools<58" wheel future requests
    pip install --no-build-isolation --no-deps openpay==1.1     # its setup.py needs 2to3
    python tests/oracle/openpay_sdk.py http://127.0.0.1:8770

Prints one line for each check; exits with 1 if one fails.
"""

import sys
import uuid

import openpay

openpay.api_key = "sk_sandbox00000000000000000000000000"
openpay.merchant_id = "mtonopagosandbox0001"
openpay.get_api_base = lambda: sys.argv[1].rstrip("/")

CARD = {
    "card_number": "4111111111111111",
    "holder_name": "Juan Perez",
    "expiration_month": "12",
    "expiration_year": "40",
    "cvv2": "110",
}
CUSTOMER = {"name": "Juan", "last_name": "Perez", "email": "juan@example.com"}
failed = 0


def check(name, good):
    global failed
    print(f"{'ok    ' if good else 'FAILED'} {name}")
    failed += not good


def charge(order_id, **source):
    return openpay.Charge.create_as_merchant(
        method="card", amount=200.5, description="Cargo", order_id=order_id, device_session_id="kjsadkjnnkjfvknjdfkjnv",
        customer=CUSTOMER, **source)


def error_of(action):
    try:
        action()
    except openpay.error.OpenpayError as error:
        return error.http_status, error.json_body["error_code"]
    return None


order = "sdk-" + uuid.uuid4().hex[:12]
token = openpay.Token.create(**CARD)
check("a token has an id and a masked card", token.id and token.card.card_number == "411111XXXXXX1111")
made = charge(order, source_id=token.id)
check("a charge of the token is completed", made.status == "completed" and made.amount == 200.5)
check("the token is used up", error_of(lambda: charge(order + "x", source_id=token.id)) == (422, 1003))
check("the order id is used up", error_of(lambda: charge(order, card=CARD)) == (409, 1006))
direct = charge(order + "-2", card=CARD)
check("a charge of a card object is completed", direct.status == "completed" and len(direct.authorization) == 6)
read = openpay.Charge.retrieve_as_merchant(made.id)
check("a charge is read by its id", read.order_id == order and read.creation_date == made.creation_date)
listed = openpay.Charge.all(order_id=order)
check("a list has the order's one charge", listed.count == 1 and listed.data[0].id == made.id)
newest = openpay.Charge.all(limit=1)
check("a list is newest first and limited", newest.count == 1 and newest.data[0].id == direct.id)
check("a refund is made", made.refund(merchant=True).status == "refunded")
check("a refund is made once", error_of(lambda: direct.refund(merchant=True) and direct.refund(merchant=True)) is not None)
check("a declined card is a CardError", error_of(lambda: charge(order + "-3", card={**CARD, "card_number": "4222222222222220"})) == (402, 3001))
check("an expired card is refused", error_of(lambda: openpay.Token.create(**{**CARD, "expiration_year": "20"})) == (400, 2005))
check("nothing is found under a wrong id", error_of(lambda: openpay.Charge.retrieve_as_merchant("nothing")) == (404, 1005))
openpay.api_key = "sk_wrong"
check("a wrong key is refused", error_of(lambda: openpay.Charge.all()) == (401, 1002))
sys.exit(1 if failed else 0)
