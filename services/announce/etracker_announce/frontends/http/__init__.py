"""Announces and scrapes over HTTP (BEP 3, 7, 23, 48).

``listener`` accepts connections, ``connection`` speaks HTTP on one of them; both give each request to ``handler``.
``requests`` turns bytes into values, ``answers`` and ``failures`` turn values into bencode.
"""
