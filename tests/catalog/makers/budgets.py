"""Budgets."""

from lab import ACCOUNT, client, given, maker, pairs


@maker("budget")
def budget(name, tags):
    limits = {"Amount": "10", "Unit": "USD"}
    client("budgets").create_budget(**{
        "AccountId": ACCOUNT, "Budget": {"BudgetName": name, "BudgetLimit": limits, "TimeUnit": "MONTHLY", "BudgetType": "COST"},
        **({"ResourceTags": pairs(tags)} if tags else {})})
    return name
