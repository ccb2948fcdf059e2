"""`make benchmark`: how fast the store is beside yardsticks, on the same machine, in the same minutes, in turns.

Only ratios of alternating rounds are worth something: whatever slows the machine down slows both sides down. Every
round is checked to be whole (each event handled, each order paid, each piece sold); speed never fails a run.
`docs/performance.md` says what each figure measures and what limits it.
"""
