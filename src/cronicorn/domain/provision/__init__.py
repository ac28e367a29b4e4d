"""What an operator sets for one tenant apart from the settings, which hold for all."""
