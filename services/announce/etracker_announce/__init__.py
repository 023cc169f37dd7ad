"""The announce service: protocol in, protocol out. It decides nothing about people."""
