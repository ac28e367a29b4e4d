"""How statements lock rows of `schedule`.

Two rules keep statements from waiting for one another in a circle. One that waits for locks takes them in the order
(shard, endpoint_id): a nested loop over a sorted list. All others skip what is locked.
"""

WAIT_FOR_LOCKED = "FOR NO KEY UPDATE"
SKIP_LOCKED = f"{WAIT_FOR_LOCKED} SKIP LOCKED"
