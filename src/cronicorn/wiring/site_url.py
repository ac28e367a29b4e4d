"""Where browsers find the web app."""

from cronicorn.wiring.listening import url_at
from cronicorn.wiring.settings import Settings


def site_url(settings: Settings, url: str | None = None) -> str:
    """Its public URL, else *url*, else where the settings listen; without a slash at the end."""
    return settings.public_url or url or url_at(settings.host, settings.port)
