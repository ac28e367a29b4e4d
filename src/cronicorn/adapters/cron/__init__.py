"""Evaluates cron schedules with `cronsim`, in any zone and over every change of its clock."""
