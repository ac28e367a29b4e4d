"""Tests of Cronicorn, in the shape of its packages."""
