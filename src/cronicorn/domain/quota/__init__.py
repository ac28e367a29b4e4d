"""A tenant's token budget for calls of a language model: values and rules. Enforced by adapters alone."""
