"""Lighthouse on a mobile phone: see `__main__`."""
