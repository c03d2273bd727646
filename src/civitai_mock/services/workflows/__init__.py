"""Use cases of v2's workflows: submit, query, wait, change, and take them further as their jobs end."""
