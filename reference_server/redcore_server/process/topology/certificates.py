"""A private certificate authority, and what it issues to the load balancers and the nodes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs
import trustme

NODE_NAME: Final = "node.redcore.internal"  # what the load balancers expect of a node, whatever its address


@attrs.frozen
class Certificates:
    """Files of certificates.

    Attributes:
        authority: Certificate of the authority, for clients, load balancers and probes to trust.
        edge: Certificate of the public address with its key, in one file as HAProxy reads it.
        node: Certificate of the nodes.
        node_key: Its key.
    """

    authority: Path
    edge: Path
    node: Path
    node_key: Path


def issue(folder: Path, *, public: Sequence[str], nodes: Sequence[str]) -> Certificates:
    """Create an authority and certificates in an empty folder.

    Args:
        folder: Created, readable by this account only.
        public: Host names and addresses of the public address.
        nodes: Addresses of the nodes.
    """
    folder.mkdir(mode=0o700)
    files = Certificates(folder / "ca.pem", folder / "edge.pem", folder / "node.pem", folder / "node.key")
    authority = trustme.CA(organization_name="RedCore topology")
    authority.cert_pem.write_to_path(str(files.authority))
    edge, node = authority.issue_cert(*public), authority.issue_cert(NODE_NAME, *nodes)
    edge.private_key_and_cert_chain_pem.write_to_path(str(files.edge))
    for blob in node.cert_chain_pems:
        blob.write_to_path(str(files.node), append=True)
    node.private_key_pem.write_to_path(str(files.node_key))
    return files
