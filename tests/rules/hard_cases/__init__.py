"""The hard cases of public pledges, each a test whose name is the rule. docs/hard-cases.md is made from these files.

The first paragraph of a docstring says what is given, the second what follows.
"""
