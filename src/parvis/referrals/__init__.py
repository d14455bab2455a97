"""Referrals that close the loop: from a need to a service, its answer, its outcome and the person's own word."""
