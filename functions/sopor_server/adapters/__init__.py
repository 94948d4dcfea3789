"""The storages behind the ports; `sopor_server.bootstrap` alone chooses among them."""
