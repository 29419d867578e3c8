"""Users and their keys, roles, policies, instance profiles, groups, certificates, providers and devices."""

from lab import POLICY, TRUST, client, given, maker, pairs, unrecorded

iam = client("iam")


@maker("iam-user")
def user(name, tags):
    return iam.create_user(UserName=name, Tags=pairs(tags))["User"]["UserName"]


@maker("iam-role")
def role(name, tags):
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=pairs(tags))["Role"]["RoleName"]


@maker("iam-policy")
def policy(name, tags):
    return iam.create_policy(PolicyName=name, PolicyDocument=POLICY, Tags=pairs(tags))["Policy"]["PolicyId"]


@maker("iam-profile")
def profile(name, tags):
    iam.create_instance_profile(InstanceProfileName=name, Tags=pairs(tags))
    return name


@maker("iam-certificate")
def certificate(name, tags):
    iam.upload_server_certificate(ServerCertificateName=name, CertificateBody="body", PrivateKey="key", Tags=pairs(tags))
    return name


@maker("iam-oidc-provider")
def oidc_provider(name, tags):
    made = iam.create_open_id_connect_provider(
        **given(tags, Url=f"https://{name}.example.com", ThumbprintList=["0" * 40], Tags=pairs(tags))
    )
    return made["OpenIDConnectProviderArn"]


@maker("iam-saml-provider")
def saml_provider(name, tags):
    return iam.create_saml_provider(Name=name, SAMLMetadataDocument="m" * 1000, Tags=pairs(tags))["SAMLProviderArn"]


@maker("iam-mfa-device")
def mfa_device(name, tags):
    return iam.create_virtual_mfa_device(VirtualMFADeviceName=name, Tags=pairs(tags))["VirtualMFADevice"]["SerialNumber"]


@maker("iam-group")
def group(name, tags):
    return iam.create_group(GroupName=name)["Group"]["GroupName"]


@maker("iam-access-key")
def access_key(name, tags):
    with unrecorded():
        iam.create_user(UserName=f"{name}-key")
    return iam.create_access_key(UserName=f"{name}-key")["AccessKey"]["AccessKeyId"]
