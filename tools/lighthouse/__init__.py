"""`make lighthouse`: lets Lighthouse look at a shopper's pages in the running store."""
