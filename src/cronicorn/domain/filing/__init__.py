"""What files of jobs have made, and which fields they speak for."""
