"""The certificate of a party that signs with an RSA key."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from app.core.clock import to_moment

# SHA-1 is what some signers still use unless told otherwise.
DIGESTS = {"sha1": SHA1, "sha256": SHA256}
LEAST_BITS = 2048


class Certificate:
    """The certificate of a signer, with an RSA key."""

    def __init__(self, pem: bytes) -> None:
        """Read a certificate.

        Raises:
            ValueError: it is none, or has no RSA key that is long enough.
        """
        found = x509.load_pem_x509_certificate(pem)
        key = found.public_key()
        if not isinstance(key, RSAPublicKey) or key.key_size < LEAST_BITS:
            raise ValueError("no RSA key of 2048 bits or more")
        self._key = key
        self._starts_at = to_moment(found.not_valid_before_utc)
        self._ends_at = to_moment(found.not_valid_after_utc)

    def is_valid_at(self, moment: int) -> bool:
        """Tell whether a moment lies between its dates."""
        return self._starts_at <= moment <= self._ends_at

    def has_signed(self, text: bytes, signature: bytes, digest: str) -> bool:
        """Tell whether a signature of a text was made with its key."""
        try:
            self._key.verify(signature, text, PKCS1v15(), DIGESTS[digest]())
        except InvalidSignature:
            return False
        return True
