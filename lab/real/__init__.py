"""The policies' effect on real clients: libtorrent sessions on shaped lines against the real tracker."""
