"""Measurements and trials on data of real shape; not part of the product."""
