"""Portfolios."""

from lab import client, given, maker, pairs, serial


@maker("catalog-portfolio")
def portfolio(name, tags):
    made = client("servicecatalog").create_portfolio(
        **given(tags, DisplayName=name, ProviderName="lab", IdempotencyToken=str(serial()), Tags=pairs(tags))
    )
    return made["PortfolioDetail"]["Id"]
