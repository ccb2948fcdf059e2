"""Chaos: a whole shop under load while everything in it fails, and a count of its money afterwards.

    python -m tools.chaos --orders 2000 --seed 7

`plan` draws everything that will happen from one seed; `stack` runs the programs; `shoppers` shop; `faults` kills
programs; `draining` finishes all pending work; `evidence` reads what each side knows, `checks` compares it.
"""
