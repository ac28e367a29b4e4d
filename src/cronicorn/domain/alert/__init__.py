"""What people are told when something is wrong: incidents, whom they concern, and the messages about them."""
