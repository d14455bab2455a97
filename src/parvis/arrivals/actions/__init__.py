"""What is done with lists of arriving people, arrivals and intakes: each one transaction, told to the ledger."""
