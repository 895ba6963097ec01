import ipaddress

import pytest

from app.addresses import is_public, is_public_or_private

PUBLIC = ["93.184.215.14", "8.8.8.8", "172.15.0.1", "172.32.0.1", "2606:4700::1111"]
EMBEDDED = ["::ffff:8.8.8.8", "64:ff9b::808:808"]
PRIVATE = [
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "127.0.0.1",
    "127.255.0.9",
    "::1",
    "fd00::1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
]
NEVER = [
    "0.0.0.0",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "168.63.129.16",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::7f00:1",
    "::ffff:169.254.169.254",
    "::ffff:0.0.0.0",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "3fff::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("text", [*PUBLIC, *EMBEDDED])
def test_addresses_of_the_open_internet_are_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))
    assert is_public_or_private(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", PRIVATE)
def test_private_networks_and_this_machine_are_not_public(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))
    assert is_public_or_private(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", NEVER)
def test_all_other_ranges_are_neither(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))
    assert not is_public_or_private(ipaddress.ip_address(text))
