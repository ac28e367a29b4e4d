"""AdaptBench: how well a policy chooses when to call, against the best that anybody could have done."""
