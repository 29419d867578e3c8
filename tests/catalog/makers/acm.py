"""Certificates."""

from lab import client, given, maker, pairs


@maker("acm-certificate")
def certificate(name, tags):
    made = client("acm").request_certificate(**given(tags, DomainName=f"{name}.example.com", ValidationMethod="DNS", Tags=pairs(tags)))
    return made["CertificateArn"]
