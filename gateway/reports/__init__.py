"""Papers that a tenant owes to others, written from its policy and the registry alone: pages that stand by themselves."""
