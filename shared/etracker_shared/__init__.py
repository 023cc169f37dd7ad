"""Code that etracker's services share. Everything here is used by at least two of them."""
