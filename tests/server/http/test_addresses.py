"""The address of a client in counters and in the log."""

from __future__ import annotations

import pytest

from redcore_server.http.addresses import PEER, client_address, counted_address, in_both_forms


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("::FFFF:cb00:7109", "203.0.113.9"),
        ("64:ff9b::203.0.113.9", "203.0.113.9"),
        ("64:ff9b:1::203.0.113.9", "64:ff9b:1::/64"),
        ("2001:db8:0:9::1", "2001:db8:0:9::/64"),
        ("2001:DB8:0:9:ffff:ffff:ffff:ffff", "2001:db8:0:9::/64"),
        ("2001:0db8:0000:0009::5", "2001:db8:0:9::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
    ],
)
def test_an_ipv6_address_counts_as_its_64(address: str, counted: str) -> None:
    """However it is spelled; an IPv4 address in IPv6 form is the IPv4 address (contract section 4)."""
    assert counted_address({"client": (address, 1)}) == counted


@pytest.mark.parametrize("said", ["<script>", "unknown", "", "_hidden", "203.0.113.9.1", "2001:db8::/64"])
def test_an_invalid_address_counts_as_the_peer(said: str) -> None:
    """A proxy may send anything, such as RFC 7239's `unknown`; the log and counters have only addresses."""
    scope = {"client": (said, 0), PEER.name: "10.0.0.7"}

    assert (counted_address(scope), client_address(scope)) == ("10.0.0.7", "10.0.0.7")


@pytest.mark.parametrize(
    ("network", "forms"),
    [
        ("10.0.0.7/32", {"10.0.0.7/32", "::ffff:10.0.0.7/128"}),
        ("10.0.0.0/8", {"10.0.0.0/8", "::ffff:10.0.0.0/104"}),
        ("::ffff:10.0.0.7/128", {"::ffff:10.0.0.7/128", "10.0.0.7/32"}),
        ("::ffff:a00:0/104", {"::ffff:a00:0/104", "10.0.0.0/8"}),
        ("::ffff:0:0/96", {"::ffff:0:0/96", "0.0.0.0/0"}),
        ("::/0", {"::/0"}),
        ("2001:db8::/32", {"2001:db8::/32"}),
    ],
)
def test_a_trusted_network_of_ipv4_is_trusted_in_both_forms(network: str, forms: set[str]) -> None:
    """Whichever form the operator gives, and whichever the peer is named in."""
    assert set(in_both_forms([network])) == forms
