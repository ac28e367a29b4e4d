"""The socket the API listens on."""

import socket

from cronicorn.wiring.listening import listen


def test_the_protocol_is_named_so_that_answers_are_not_held_back():
    with listen("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP
