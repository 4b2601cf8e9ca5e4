"""Partner secrets, encrypted at rest with a key from the environment; and the hashes of tokens that others show us."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from adapters.core.connection import Secrets

_OTHER_KEY = "ROAMGATE_SECRET_KEY is not the key that the stored secrets were sealed with"


class SecretsUnreadable(RuntimeError):
    """What is stored was encrypted with a key that we do not have."""


class Cipher:
    """Encrypts and decrypts connections' secrets.

    Args:
        keys: Fernet keys, separated by commas: the first encrypts, all decrypt, so that a key can be replaced.

    Raises:
        ValueError: A key is not 32 bytes in URL-safe Base64.
    """

    def __init__(self, keys: str) -> None:
        self._fernet = MultiFernet([Fernet(key.strip().encode()) for key in keys.split(",")])

    @staticmethod
    def new_key() -> str:
        """Makes a key."""
        return Fernet.generate_key().decode()

    def seal(self, secrets: Secrets) -> bytes:
        """Encrypts."""
        content: Mapping[str, Any] = {"ours": secrets.ours, "endpoints": dict(secrets.endpoints)}
        return self._fernet.encrypt(json.dumps(content, separators=(",", ":")).encode())

    def open(self, sealed: bytes | None) -> Secrets:
        """Decrypts; nothing stored gives empty secrets.

        Raises:
            SecretsUnreadable: The key is another.
        """
        if sealed is None:
            return Secrets()
        try:
            content = json.loads(self._fernet.decrypt(sealed))
        except InvalidToken:
            raise SecretsUnreadable(_OTHER_KEY) from None
        return Secrets(ours=content["ours"], endpoints=content["endpoints"])

    def seal_text(self, text: str) -> bytes:
        """Encrypts a text."""
        return self._fernet.encrypt(text.encode())

    def open_text(self, sealed: bytes) -> str:
        """Decrypts a text.

        Raises:
            SecretsUnreadable: The key is another.
        """
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            raise SecretsUnreadable(_OTHER_KEY) from None


def token_hash(token: str) -> bytes:
    """Gives the hash under which a token that a partner shows us is stored.

    Our tokens are 256 random bits, so a plain hash cannot be guessed backwards. An adopted token may be weaker; it
    is the partner's to replace.
    """
    return sha256(token.encode()).digest()
