"""Arabic: the day before the month, everywhere. Django's Arabic falls back on the order of the United States."""

DATE_FORMAT = "j F Y"
DATETIME_FORMAT = "j F Y، g:i A"
SHORT_DATETIME_FORMAT = "d/m/Y g:i A"
