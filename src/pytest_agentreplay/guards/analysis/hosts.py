"""Hosts: what a host's spelling means to a browser or to curl, and what sort of address it is.

Follows the host parser of the WHATWG URL standard (https://url.spec.whatwg.org/#host-parsing):
percent-encoding, IDNA, and numbers in any of the spellings that `inet_aton` takes.
Nothing here knows of URLs or of what is allowed.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import unquote

from pytest_agentreplay.guards.analysis.spelling import plain
from pytest_agentreplay.redaction.keys import words

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_DOTS: Final = str.maketrans("。．｡", "...")
_METADATA_NAMES: Final = words(
    "metadata metadata.google.internal metadata.goog instance-data instance-data.ec2.internal metadata.azure.com"
    " metadata.azure.internal metadata.packet.net metadata.tencentyun.com metadata.platformequinix.com"
)
# AWS, Google, Azure, DigitalOcean and OpenStack share the first; then AWS over IPv6, ECS, EKS, Alibaba, Oracle and
# Azure's wire server.
_METADATA_ADDRESSES: Final = frozenset(
    ipaddress.ip_address(address)
    for address in (
        "169.254.169.254",
        "fd00:ec2::254",
        "169.254.170.2",
        "169.254.170.23",
        "fd00:ec2::23",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "fe80::a9fe:a9fe",
        "fd20:ce::254",
    )
)
_DOCUMENTATION: Final = tuple(map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))
_HEXADECIMAL: Final = re.compile(r"[0-9a-f]{8}")
_NAMES_OF_ADDRESSES: Final = (".nip.io", ".sslip.io", ".xip.io", ".traefik.me")
_LOCAL_ENDS: Final = (".local", ".localhost", ".internal", ".lan", ".home.arpa", ".svc", ".cluster.local")


class Host(NamedTuple):
    """A host, canonical.

    Attributes:
        name: in lower case and ASCII, without a trailing dot; an address in its usual form.
        address: the address that it is; None for a name.
        disguised: it was spelled as nobody does who wants it to be read: an address as one number,
            a percent-encoded name, a name with letters borrowed from another alphabet.
    """

    name: str
    address: Address | None = None
    disguised: bool = False

    @property
    def is_local(self) -> bool:
        """Whether it is this machine or one beside it; a name without a dot is."""
        if self.address is not None:
            if any(self.address in network for network in _DOCUMENTATION if self.address.version == 4):
                return False
            address = self.address
            return (
                address.is_private
                or address.is_loopback
                or address.is_link_local
                or address.is_multicast
                or not int(address)
            )
        return "." not in self.name or self.name.endswith(_LOCAL_ENDS)

    @property
    def is_metadata(self) -> bool:
        """Whether a cloud machine gets its credentials there."""
        return self.name in _METADATA_NAMES or (self.address or _named_address(self.name)) in _METADATA_ADDRESSES


@lru_cache(maxsize=4096)
def parse_host(text: str) -> Host | None:
    """Parse a host as a URL holds it; None where no browser would take it for one."""
    if text.startswith("["):
        return _parse_v6(text[1:].partition("]")[0])
    if text.count(":") > 1:
        return _parse_v6(text)
    decoded = unquote(text)
    name = unicodedata.normalize("NFKC", decoded.translate(_DOTS)).lower().rstrip(".")
    for invisible in "\u00ad\u200b\u200c\u200d\u2060\ufeff":
        name = name.replace(invisible, "")
    mixed = plain(name) != name or any(_is_look_alike(label) for label in name.split("."))
    if not name.isascii():
        name = _to_ascii(name)
    if not name or len(name) > 253 or any(char in " #%/:<>?@[\\]^|\"'`(){},;" or char < "!" for char in name):
        return None
    labels = name.split(".")
    if "" in labels:
        return None
    if labels[-1].isdecimal() or labels[-1].startswith("0x"):
        address = _parse_v4(labels)
        return None if address is None else Host(str(address), address, disguised=str(address) != text.rstrip("."))
    return Host(name, disguised=mixed or "%" in text)


def _is_look_alike(label: str) -> bool:
    """Tell a label that reads as another one: borrowed letters, beside Latin ones or all of them."""
    if label.startswith("xn--"):
        try:
            label = label.encode("ascii").decode("idna")
        except UnicodeError:
            return False
    return not label.isascii() and (plain(label) != label or plain(f"a{label}").isascii())


def _to_ascii(name: str) -> str:
    labels = []
    for label in name.split("."):
        try:
            labels.append(label.encode("idna").decode("ascii"))
        except UnicodeError:
            labels.append("xn--" + label.encode("punycode").decode("ascii"))
    return ".".join(labels)


def _parse_v4(labels: list[str]) -> Address | None:
    numbers = [_number(label) for label in labels]
    if len(numbers) > 4 or None in numbers:
        return None
    *first, last = [number for number in numbers if number is not None]
    if any(number > 255 for number in first) or last >= 256 ** (4 - len(first)):
        return None
    return ipaddress.IPv4Address(sum(number << (24 - 8 * place) for place, number in enumerate(first)) + last)


def _number(label: str) -> int | None:
    try:
        if label.startswith("0x"):
            return int(label[2:] or "0", 16)
        return int(label, 8) if len(label) > 1 and label[0] == "0" else int(label)
    except ValueError:
        return None


def _parse_v6(text: str) -> Host | None:
    try:
        address = ipaddress.IPv6Address(unquote(text).partition("%")[0])
    except ValueError:
        return None
    embedded = address.ipv4_mapped or address.sixtofour or (_last_bits(address) if address in _NAT64 else None)
    if embedded is not None:
        return Host(str(embedded), embedded, disguised=True)
    return Host(str(address), address)


_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


def _last_bits(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def _named_address(name: str) -> Address | None:
    """Read the address out of a name that resolves to the address in it, as ``169.254.169.254.nip.io``."""
    if not name.endswith(_NAMES_OF_ADDRESSES):
        return None
    labels = name.split(".")[:-2]
    for start in range(len(labels)):
        four = labels[start : start + 4] if len(labels) - start >= 4 else labels[start].split("-")[-4:]
        if len(four) == 4 and (address := _parse_v4(four)) is not None:
            return address
        if _HEXADECIMAL.fullmatch(labels[start]):
            return ipaddress.IPv4Address(int(labels[start], 16))
    return None


def same_host(host: str, allowed: str) -> bool:
    """Tell whether a host is one that a pattern allows: itself, or ``*.example.com`` for what is below it."""
    if allowed.startswith("*."):
        return host.endswith(allowed[1:])
    return host == allowed
