"""Appointments: calendar, feeds, interpreters, reminders."""
