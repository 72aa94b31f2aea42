"""Akashi: surveys what a municipality's own web pages prove about its digital transformation."""
