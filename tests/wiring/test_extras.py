"""Backends that are not installed."""

import pytest

from cronicorn.domain.errors import UnavailableError
from cronicorn.wiring.extras import require


def test_what_is_not_installed_is_named_with_the_extra_that_brings_it():
    with pytest.raises(UnavailableError, match=r"A PostgreSQL database needs .* pip install 'cronicorn\[postgres\]'"):
        require("no_such_driver", "postgres", "A PostgreSQL database")


def test_what_is_installed_is_no_hindrance():
    require("sqlite3", "postgres", "A PostgreSQL database")
