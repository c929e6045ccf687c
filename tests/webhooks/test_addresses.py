"""Nothing is sent into the networks of the site, whatever a URL says or a name stands for."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

from webhooks.addresses import fault_of, fault_of_url

INSIDE = [
    *("10.1.2.3", "172.16.0.1", "192.168.1.1", "127.0.0.1", "127.255.255.254", "0.0.0.0"),
    *("100.64.0.1", "100.100.100.200", "169.254.169.254", "192.0.0.192", "198.18.0.1"),
    "168.63.129.16",
    *("192.0.2.1", "203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255", "0.1.2.3"),
    *("::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1"),
    *(
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b::a00:1",
        "64:ff9b::6440:1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::",
    ),
    *("100::1", "2001::1", "fd00:ec2::23", "fd20:ce::254"),
]
OUTSIDE = ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8",
           "64:ff9b::808:808"]  # fmt: skip


@pytest.fixture
def closed(settings: Any) -> None:
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = False


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_never_asked(address: str) -> None:
    assert fault_of(ip_address(address), "hooks.example.com")


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize("address", OUTSIDE)
def test_one_on_the_internet_is(address: str) -> None:
    assert not fault_of(ip_address(address), "hooks.example.com")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.1.2.3", "::ffff:127.0.0.1"])
def test_development_reaches_its_own_machine(settings: Any, address: str) -> None:
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True

    assert not fault_of(ip_address(address), "localhost")
    assert not fault_of_url("http://localhost:9000/hook")


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "2002:a9fe:a9fe::", "0.0.0.0",
     "fd00:ec2::23", "fd20:ce::254", "224.0.0.1", "240.0.0.1", "100.100.100.200"],
)  # fmt: skip
def test_not_even_development_reaches_a_clouds_credentials(settings: Any, address: str) -> None:
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True

    assert fault_of(ip_address(address), "h")


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize(
    "url",
    [
        *("", "shop.example.com", "//shop.example.com/", "ftp://h.example.com/", "file:///etc/x"),
        *("http://shop.example.com/", "https:///path", "https://[::1", "javascript:alert(1)"),
        *("https://h.example.com:0/", "https://h.example.com:99999/"),
        *("https://u:secret@example.com/", "https://u@example.com/"),
        *("https://example.com/#part", "https://example.com/#", "https://example.com/a b"),
        *(
            "https://example.com/\r\nX: y",
            "https://example.com/\x00",
            "https://example.com\\@other/",
        ),
        *("https://ü.example.com/", "https://127.0.0.1/", "https://[::1]/"),
        *("https://[::ffff:10.0.0.1]/", "https://169.254.169.254/latest/meta-data"),
        *("https://localhost/", "https://mongodb/", "https://a.localhost./", "https://p.local/"),
        *("https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/"),
        *("https://shop..example.com/", "https://shop%2eexample.com/", "https://example.com../"),
        *("https://-a.example.com/", f"https://{'a' * 64}.com/", f"https://{'a.' * 130}com/"),
        f"https://shop.example.com/{'x' * 2_000}",
    ],
)
def test_a_url_that_cannot_be_an_endpoints_is_refused(url: str) -> None:
    assert fault_of_url(url)


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize(
    "url",
    [
        *("https://shop.example.com/webhooks", "https://shop.example.com:8443/a?b=c%20d"),
        *("https://8.8.8.8/", "https://[2606:4700::1111]/hook", "https://SHOP.Example.com/"),
        *("https://shop.example.com./", "https://xn--bcher-kva.example/", "https://a_b.c-d.io/"),
    ],
)
def test_one_on_the_internet_is_taken(url: str) -> None:
    assert fault_of_url(url) == ""
