"""Addresses of styles, scripts and icons."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):
    """Files with their hash in the name; each address is found once: a page asks for dozens."""

    _addresses: dict[str, str]

    def url(self, name: str, force: bool = False) -> str:
        known = self.__dict__.setdefault("_addresses", {})
        if name not in known or force:
            known[name] = super().url(name, force)
        return known[name]
