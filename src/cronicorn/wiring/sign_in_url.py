"""Where a browser follows a link that signs in once."""

from cronicorn.wiring.listening import url_at
from cronicorn.wiring.settings import Settings


def sign_in_url(settings: Settings, token: str, url: str | None = None) -> str:
    """The address of the page that takes *token*: at the public URL, else at *url*, else where the settings listen."""
    return f"{settings.public_url or url or url_at(settings.host, settings.port)}/sign-in?token={token}"
