"""Who may do what, who did what, and what proves who somebody is."""
