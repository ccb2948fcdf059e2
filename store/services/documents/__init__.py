"""Invoices and credit notes, numbered without gaps and never changed once they are issued."""

from store.services.documents.content import taxes_of
from store.services.documents.due import issue_due
from store.services.documents.issuing import can_issue, issue
from store.services.documents.lookup import find, invoice_of, of_order

__all__ = ["can_issue", "find", "invoice_of", "issue", "issue_due", "of_order", "taxes_of"]
