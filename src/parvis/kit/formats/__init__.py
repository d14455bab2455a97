"""Formats of dates where Django has none of a language, or another country's: a folder is a language."""
