"""The admin API: allowlist, keys, torrent files and statistics, for operators and the frontend."""
