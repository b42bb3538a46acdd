"""Ids become codes and codes become ids."""
