"""Certificate authorities."""

from lab import client, given, maker, pairs


@maker("acm-pca-certificate-authority")
def authority(name, tags):
    config = {"KeyAlgorithm": "RSA_2048", "SigningAlgorithm": "SHA256WITHRSA", "Subject": {"CommonName": name}}
    made = client("acm-pca").create_certificate_authority(
        **given(tags, CertificateAuthorityConfiguration=config, CertificateAuthorityType="ROOT", Tags=pairs(tags)))
    return made["CertificateAuthorityArn"]
