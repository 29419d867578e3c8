"""Configuration sets, identities and pools."""

from lab import client, given, maker, pairs


@maker("ses-configuration-set-v2")
def configuration_set(name, tags):
    client("sesv2").create_configuration_set(**given(tags, ConfigurationSetName=name, Tags=pairs(tags)))
    return name


@maker("ses-email-identity")
def identity(name, tags):
    client("sesv2").create_email_identity(**given(tags, EmailIdentity=f"{name}@example.com", Tags=pairs(tags)))
    return f"{name}@example.com"


@maker("ses-dedicated-ip-pool")
def pool(name, tags):
    client("sesv2").create_dedicated_ip_pool(**given(tags, PoolName=name, Tags=pairs(tags)))
    return name


@maker("ses-contact-list")
def contact_list(name, tags):
    client("sesv2").create_contact_list(**given(tags, ContactListName=name, Tags=pairs(tags)))
    return name
