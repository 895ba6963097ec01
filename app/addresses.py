"""Addresses of the network that images may be fetched from."""

import ipaddress
from collections.abc import Callable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Permits = Callable[[Address], bool]

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NEVER_PUBLIC = tuple(
    map(
        ipaddress.ip_network,
        (
            "192.0.0.0/24",  # protocol assignments, where some clouds have their metadata
            "192.88.99.0/24",  # relays of 6to4
            "168.63.129.16/32",  # Azure's services of the machine itself
            "2001::/23",  # protocol assignments, Teredo
            "2002::/16",  # 6to4, which holds any IPv4 address
            "3fff::/20",  # documentation
        ),
    )
)
"""Ranges that Python calls global, or did not always call otherwise."""

_PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "::1/128"),
    )
)


def is_public(address: Address) -> bool:
    """Whether an address is of the open internet; an IPv4 one within IPv6 counts as what it is."""
    plain = _unwrapped(address)
    if plain.version == 6 and plain not in _GLOBAL_UNICAST:
        return False
    if plain.is_multicast or plain.is_reserved or _is_in(plain, _NEVER_PUBLIC):
        return False
    return plain.is_global


def is_public_or_private(address: Address) -> bool:
    """Whether it is public, or of a private network or this machine; never link-local."""
    return is_public(address) or _is_in(_unwrapped(address), _PRIVATE)


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for: mapped, or behind a NAT64."""
    if not isinstance(address, ipaddress.IPv6Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _is_in(
    address: Address, networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
) -> bool:
    return any(address in network for network in networks)
