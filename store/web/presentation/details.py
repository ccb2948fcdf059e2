"""What a shopper's details are called when the payment service does not accept one."""

from __future__ import annotations

from collections.abc import Mapping

from store.domain.errors import Detail

REFUSED_DETAILS: Mapping[Detail, str] = {
    Detail.EMAIL: "your e-mail address",
    Detail.FULL_NAME: "the name in your address",
    Detail.PHONE: "your telephone number",
    Detail.LINE1: "the first line of your address",
    Detail.LINE2: "the second line of your address",
    Detail.CITY: "the city in your address",
    Detail.REGION: "the state, province or region in your address",
    Detail.POSTAL_CODE: "the postal code in your address",
    Detail.COUNTRY: "the country in your address",
}
