"""Addresses that e-mail can be sent to."""

import re

import idna

LONGEST_LOCAL_PART = 64
LONGEST_ADDRESS = 254
# Without =?, which is read as an encoded word wherever an address stands in a header.
LOCAL_PART = re.compile(r"(?!.*=\?)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


class Unmailable(Exception):
    """Nothing can be sent to this address."""


def mailable(address: str) -> str:
    """The address as servers take it, with its domain in ASCII; raises Unmailable."""
    local_part, _, domain = address.strip().rpartition("@")
    if not LOCAL_PART.fullmatch(local_part) or len(local_part) > LONGEST_LOCAL_PART:
        raise Unmailable("no address that e-mail can be sent to")
    try:
        host = idna.encode(domain, uts46=True).decode().removesuffix(".")
    except idna.IDNAError as fault:
        raise Unmailable("no domain that e-mail can be sent to") from fault
    if len(local_part) + 1 + len(host) > LONGEST_ADDRESS:
        raise Unmailable("too long an address")
    return f"{local_part}@{host}"
