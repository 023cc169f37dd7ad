"""HTTP: the original's endpoints, two pages, and what surrounds them."""
