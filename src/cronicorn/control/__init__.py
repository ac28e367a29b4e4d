"""The control plane: what a person or an agent may ask for, one module for each noun."""
