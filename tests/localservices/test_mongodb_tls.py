"""MONGODB_URL's parameters for TLS, with an authority of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from pymongo import MongoClient
from pymongo.errors import ServerSelectionTimeoutError

from localservices.mongodb import MongoDB
from ordersite import mongodb_url
from tests.certificates import Certificates, make_certificates


class MongoDBWithTLS(MongoDB):
    """Takes TLS and plain connections; one over TLS has to trust its authority."""

    def __init__(self, data_folder: Path, certificates: Certificates) -> None:
        super().__init__(data_folder)
        both = data_folder.parent / "certificate-and-key.pem"
        both.write_text(certificates.server.read_text() + certificates.server_key.read_text())
        self.arguments = (
            "--tlsMode=preferTLS",
            f"--tlsCertificateKeyFile={both}",
            f"--tlsCAFile={certificates.authority}",
            "--tlsAllowConnectionsWithoutCertificates",
        )


@pytest.fixture
def certificates(programs: None, tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path / "certificates")


@pytest.fixture
def mongodb(tmp_path: Path, certificates: Certificates) -> Iterator[MongoDB]:
    with MongoDBWithTLS(tmp_path / "mongodb", certificates) as mongodb:
        yield mongodb
        mongodb.kill()


def hello(url: str) -> bool:
    """What a process of ours gets, with our options of a client."""
    mongodb_url.check(url)
    with MongoClient(url, **mongodb_url.options(url)) as client:
        return bool(client.admin.command("hello")["isWritablePrimary"])


def test_a_server_is_trusted_by_its_authority_alone(
    mongodb: MongoDB, certificates: Certificates, tmp_path: Path
) -> None:
    tls = f"mongodb://localhost:{mongodb.port}/?directConnection=true&tls=true&tlsCAFile="
    other = make_certificates(tmp_path / "other")

    assert hello(f"{tls}{quote(str(certificates.authority))}")
    with pytest.raises(ServerSelectionTimeoutError, match="certificate verify failed"):
        hello(f"{tls}{quote(str(other.authority))}")
    with pytest.raises(ServerSelectionTimeoutError, match="certificate verify failed"):
        hello(f"mongodb://localhost:{mongodb.port}/?directConnection=true&tls=true")
