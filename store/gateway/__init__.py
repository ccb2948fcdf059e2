"""The payment service and the mail server, from the store's side: `port` says what the store asks for, `stripe` asks
Stripe, `smtp_mailer` sends mail.
"""
