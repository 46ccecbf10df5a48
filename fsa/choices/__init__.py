"""Input: sources of choices. Each gives a `ChoiceTable`; one validator checks all records."""
