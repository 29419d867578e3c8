"""Domains."""

from lab import client, maker

CONTACT = {"FirstName": "A", "LastName": "B", "ContactType": "PERSON", "AddressLine1": "1 Road", "City": "Town", "CountryCode": "US", "State": "WA",
           "ZipCode": "98101", "PhoneNumber": "+1.5555555555", "Email": "a@example.com"}


@maker("r53domain", without={case: "moto has no tags of domains" for case in ("fresh", "owned", "unrecorded", "machine")})
def domain(name, tags):
    found = f"{name}.com"
    client("route53domains").register_domain(DomainName=found, DurationInYears=2, AdminContact=CONTACT, RegistrantContact=CONTACT, TechContact=CONTACT)
    return found
