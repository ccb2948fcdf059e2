"""One module per resource: what each operation does with its checked parameters."""
