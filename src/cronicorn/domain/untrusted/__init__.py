"""What others wrote, made fit for a model or a person to read: cleaned, framed, shortened, redacted. Pure."""
