"""The tracked torrents: lists, changes, and (in ``files/``) their torrent files."""
