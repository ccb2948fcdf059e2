"""Till: a store that takes cards on its own page. The layers, from the top: web and cli, webhooks, services, gateway,
domain.
"""
