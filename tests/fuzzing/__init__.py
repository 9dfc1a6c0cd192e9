"""Whatever reads what comes from outside, fed with what nothing of ours writes: a little in CI, for long by ``make fuzz``."""
