"""Calls that never leave the process: functions of an application that embeds the scheduler."""
