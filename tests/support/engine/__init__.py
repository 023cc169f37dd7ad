"""A Docker engine for tests: the machine's own, or one that is brought up without a registry and removed afterwards.

Everything of the second kind lives in one cache directory and in two network namespaces: the engine's and the
clients'. Nothing of it listens on the machine itself. The images that the product is built from are made from Debian
packages under the names that its files use (``standins``).
"""
