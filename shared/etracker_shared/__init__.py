"""What etracker's services have in common: a thing is here only if two of them use it."""
