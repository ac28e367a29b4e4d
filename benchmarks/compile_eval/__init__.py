"""Does a model write the policies that people mean? Agreement by behaviour, never by text."""
