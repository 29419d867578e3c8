"""Keys."""

from lab import client, given, maker, pairs

ATTRIBUTES = {
    "KeyUsage": "TR31_P0_PIN_ENCRYPTION_KEY", "KeyClass": "SYMMETRIC_KEY", "KeyAlgorithm": "TDES_3KEY",
    "KeyModesOfUse": {"Encrypt": True, "Decrypt": True, "Wrap": True, "Unwrap": True},
}


@maker("payment-cryptography-key")
def key(name, tags):
    made = client("payment-cryptography").create_key(**given(tags, KeyAttributes=ATTRIBUTES, Exportable=True, Tags=pairs(tags)))
    return made["Key"]["KeyArn"]
